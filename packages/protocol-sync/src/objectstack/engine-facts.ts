/** The facts of the whole store, as the data engine keeps them: one row. */
import { AS_SYSTEM, type DataEngine, type EngineContext, type EngineRow } from '@objectql/sync-types/kernel';
import type { StoreFacts } from '../storage/sync-store.js';
import { EPOCHS, FEED, SCHEMA_VERSION } from './engine-objects.js';
import { digits, rowId, toFacts } from './engine-rows.js';

/** The id of the row. */
export const FEED_ID = 'feed';

/** The facts, including how far the given epoch goes. */
export async function readFacts(engine: DataEngine, context: EngineContext, epoch?: string): Promise<StoreFacts> {
  const row = await engine.findOne(FEED, { where: { id: FEED_ID } }, { context });
  if (!row) throw new Error(`The object ${FEED} is empty: sync's state is damaged. Restore it from a backup.`);
  const facts = toFacts(row);
  if (epoch === undefined) return facts;
  if (epoch === facts.epoch) return { ...facts, reach: facts.head };
  const ended = await engine.findOne(EPOCHS, { where: { id: rowId(epoch) } }, { context });
  return { ...facts, reach: ended ? Number(ended.last_place) : undefined };
}

/** The row; if it is missing, it is made in the epoch that `beginEpoch` gives. */
export async function findOrMakeFeedRow(engine: DataEngine, beginEpoch: () => string): Promise<EngineRow> {
  const found = await findFeedRow(engine);
  if (found) return found;
  const zero = digits(0);
  const row = {
    id: FEED_ID,
    epoch: beginEpoch(),
    head: zero,
    floor: zero,
    version_floor: zero,
    schema_version: String(SCHEMA_VERSION),
  };
  try {
    await engine.insert(FEED, row, { context: AS_SYSTEM });
    return row;
  } catch (error) {
    // Another process that starts at the same moment may have been faster.
    const theirs = await findFeedRow(engine);
    if (!theirs) throw error;
    return theirs;
  }
}

function findFeedRow(engine: DataEngine): Promise<EngineRow | null> {
  return engine.findOne(FEED, { where: { id: FEED_ID } }, { context: AS_SYSTEM });
}
