/** ObjectStack's permissions as sync asks for them: what a user may read is what the data engine shows that user. */
import { type JsonObject, jsonEquals, type RecordRef, recordKey } from '@objectql/sync-types';
import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import type { Authorize } from '../authorize.js';
import type { Principal } from '../principal.js';
import { isForbidden } from './engine-error.js';
import { contextOf, type EngineRecords } from './engine-records.js';

/** What in a user's context decides what they may read; a change of it makes their devices walk the feed anew. */
const RIGHTS = ['tenantId', 'accessible_org_ids', 'posture', 'positions', 'permissions', 'systemPermissions'] as const;

/** Reads as ObjectStack itself, as the feed's records are read. */
const SYSTEM: Principal = { id: 'system', context: { ...AS_SYSTEM, userId: undefined } };

type Records = Pick<EngineRecords, 'readAll' | 'isFormula'>;

/** Reads as the caller, in one query for all that is asked at once. Writes are judged by the engine when they are made. */
export function engineAuthorize(records: Records): Authorize {
  const batchOf = batches(records);
  /** Of these fields the formulas that read otherwise than in the feed for everybody: because the day is another one. */
  const movedFormulas = async (
    fields: readonly string[],
    { ref, shown }: { readonly ref: RecordRef; readonly shown: JsonObject },
  ): Promise<readonly string[]> => {
    const formulas = fields.filter((field) => records.isFormula(ref.objectName, field));
    if (formulas.length === 0) return [];
    const all = await batchOf(SYSTEM, ref);
    const now = (all !== 'nothing' && all.get(recordKey(ref))) || {};
    return formulas.filter((field) => isSame(field, shown, now));
  };
  return {
    async read({ principal, record, ...ref }) {
      if (!principal) return 'allow';
      const seen = await batchOf(principal, ref);
      if (seen === 'nothing') return 'hide';
      // A deleted record is known by its id alone to everybody who may read its object.
      if (!record) return 'allow';
      const shown = seen.get(recordKey(ref));
      if (!shown) return 'forget';
      // A value that reads otherwise is masked for this user, or is changing right now and comes again.
      const others = Object.keys(record).filter((field) => !isSame(field, shown, record));
      const moved = await movedFormulas(others, { ref, shown });
      const without = others.filter((field) => !moved.includes(field));
      return without.length === 0 ? 'allow' : { without };
    },
    scope(principal) {
      const context = contextOf(principal);
      return JSON.stringify(RIGHTS.map((right) => context[right] ?? null));
    },
  };
}

function isSame(field: string, shown: JsonObject, record: JsonObject): boolean {
  return Object.hasOwn(shown, field) && jsonEquals(shown[field], record[field]);
}

type Seen = ReadonlyMap<string, JsonObject> | 'nothing';

/** Gathers the questions of one turn of the event loop. */
function batches(records: Pick<EngineRecords, 'readAll'>) {
  const openByPrincipal = new WeakMap<
    Principal,
    Map<string, { readonly refs: RecordRef[]; readonly seen: Promise<Seen> }>
  >();
  return (principal: Principal, { objectName, recordId }: RecordRef): Promise<Seen> => {
    const open = openByPrincipal.get(principal) ?? new Map();
    openByPrincipal.set(principal, open);
    const batch = open.get(objectName) ?? begin();
    batch.refs.push({ objectName, recordId });
    return batch.seen;

    function begin() {
      const refs: RecordRef[] = [];
      const seen = Promise.resolve().then(() => {
        open.delete(objectName);
        return read(refs, principal);
      });
      const begun = { refs, seen };
      open.set(objectName, begun);
      return begun;
    }
  };

  async function read(refs: readonly RecordRef[], principal: Principal): Promise<Seen> {
    try {
      return await records.readAll(refs, contextOf(principal));
    } catch (error) {
      if (isForbidden(error)) return 'nothing';
      throw error;
    }
  }
}
