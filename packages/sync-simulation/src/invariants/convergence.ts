/** I4 and I11 at rest: every replica equals the server, and the server equals the result of its commits. */
import type { BaseRecord, LocalRecord } from '@objectql/plugin-sync';
import type { JsonObject, RecordRef } from '@objectql/sync-types';
import type { Permissions } from '../permissions.js';
import { isSame, nameOf } from '../record-name.js';
import type { ServerHost } from '../server-host.js';
import type { ServerTruth } from '../server-truth.js';
import type { Violation } from '../violation.js';

/** What is compared of a device. */
export interface Replica {
  readonly name: string;
  readonly user: string;
  /** Whether it receives other devices' changes of an object. */
  keeps(objectName: string): boolean;
  records(): Promise<readonly (BaseRecord | LocalRecord)[]>;
}

/** The first difference between any replica and the server, or within the server itself. */
export async function findDifference(
  replicas: readonly Replica[],
  host: Pick<ServerHost, 'truth' | 'store' | 'app'>,
  permissions: Pick<Permissions, 'viewOf'>,
): Promise<Violation | undefined> {
  const wrong = await findServerDifference(host);
  if (wrong) return { invariant: 'I11', message: wrong };
  for (const replica of replicas) {
    const { name, user } = replica;
    const held = new Map((await replica.records()).map((record) => [nameOf(record), record]));
    const different = findReplicaDifference(held, host.truth, ({ objectName }, data) =>
      replica.keeps(objectName) ? permissions.viewOf(user, objectName, data) : undefined,
    );
    if (different) return { invariant: 'I4', message: `${name}: ${different}` };
  }
  return undefined;
}

/** The first record of a replica that differs from the server's, or that it should not have. */
export function findReplicaDifference(
  held: ReadonlyMap<string, Pick<BaseRecord, 'data'> & { readonly version: number | null }>,
  truth: Pick<ServerTruth, 'records'>,
  viewOf: (ref: RecordRef, data: JsonObject) => JsonObject | undefined,
): string | undefined {
  const extra = new Set(held.keys());
  for (const [name, record] of truth.records) {
    const { objectName, recordId, data, version } = record;
    const view = data === null ? undefined : viewOf({ objectName, recordId }, data);
    if (!view) continue;
    extra.delete(name);
    const own = held.get(name);
    if (!own) return `${name} v${version} is missing.`;
    if (own.version !== version || !isSame(own.data, view)) {
      return `${name} is v${own.version} ${JSON.stringify(own.data)}, and should be v${version} ${JSON.stringify(view)}.`;
    }
  }
  const [ghost] = extra;
  return ghost && `${ghost} v${held.get(ghost)?.version} is not for it to have.`;
}

async function findServerDifference({
  truth,
  store,
  app,
}: Pick<ServerHost, 'truth' | 'store' | 'app'>): Promise<string | undefined> {
  const { records, facts } = await store.page({ after: 0, limit: Number.MAX_SAFE_INTEGER });
  if (facts.head !== truth.head) return `The feed's head is ${facts.head} and should be ${truth.head}.`;
  if (records.length !== truth.records.size) return `There are ${records.length} records, not ${truth.records.size}.`;
  for (const record of records) {
    const expected = truth.records.get(nameOf(record));
    if (expected?.version !== record.version || !isSame(expected.data, JSON.parse(record.data ?? 'null'))) {
      return `${nameOf(record)} is v${record.version} in the store and v${expected?.version} by its commits.`;
    }
  }
  return findAppDifference(app, truth, await intentsOf(store, records));
}

/** Records with an announced write that is not confirmed yet: the application may be ahead there. */
async function intentsOf(store: ServerHost['store'], records: readonly Parameters<typeof nameOf>[0][]) {
  return store.transaction(async (transaction) => {
    const refs = records.map(({ objectName, recordId }) => ({ objectName, recordId }));
    const { intents } = await transaction.load({ records: refs, mutationIds: [] });
    return new Set(intents.map((intent) => nameOf(intent)));
  });
}

function findAppDifference(
  app: ServerHost['app'],
  truth: Pick<ServerTruth, 'records'>,
  open: ReadonlySet<string>,
): string | undefined {
  for (const name of app.names()) {
    const record = truth.records.get(name);
    if (open.has(name) || !record || isSame(record.data, app.get(name))) continue;
    return `${name} is ${JSON.stringify(app.get(name))} in the application and ${JSON.stringify(record.data)} in sync.`;
  }
  return undefined;
}
