/** Makes a store fail at chosen points, for tests that must survive every one of them. */
import type { StoreTransaction, SyncStore } from '../storage/sync-store.js';

/** What a store does, step by step. `begin` and `commit` are the ends of a transaction. */
export type StoreStep =
  | 'open'
  | 'begin'
  | 'load'
  | 'savepoint'
  | 'save'
  | 'commit'
  | 'page'
  | 'prune'
  | 'changeEpoch'
  | 'close';

/** One failure: the `nth` step, or the `nth` step of one kind, throws before it does anything or after it has done all. */
export interface StoreFault {
  /** From 1. */
  readonly nth: number;
  /** Counts only steps of this kind; all steps when absent. */
  readonly step?: StoreStep;
  readonly when: 'before' | 'after';
  /** What is thrown. Default: an `InjectedFault`. */
  readonly error?: Error;
}

/** Thrown where a fault was planned. */
export class InjectedFault extends Error {
  override readonly name = 'InjectedFault';
}

/** A store with faults, and the steps it has taken so far: run once without faults to learn what there is to break. */
export interface FaultyStore extends SyncStore {
  readonly steps: readonly StoreStep[];
}

/**
 * The store, failing as planned. `after` a commit the transaction stands although the caller sees an error, as when a
 * connection is lost at the worst moment; every other fault inside a transaction rolls it back.
 *
 * ```text
 * const rehearsal = withStoreFaults(await openStore(), []);
 * await push(rehearsal);
 * for (const when of ['before', 'after'] as const) {
 *   for (const [index] of rehearsal.steps.entries()) {
 *     const store = withStoreFaults(await openStore(), [{ nth: index + 1, when }]);
 *     await push(store).catch(() => push(store)); // the fault, then the retry
 *   }
 * }
 * ```
 */
export function withStoreFaults(store: SyncStore, faults: readonly StoreFault[]): FaultyStore {
  const steps: StoreStep[] = [];
  const take = async <T>(step: StoreStep, work: () => Promise<T>): Promise<T> => {
    const due = countStep(steps, step, faults);
    throwFault(due, 'before', steps);
    const result = await work();
    throwFault(due, 'after', steps);
    return result;
  };
  return {
    steps,
    open: () => take('open', () => store.open()),
    transaction: (work) => runWithFaults(store, { steps, faults, take }, work),
    page: (query) => take('page', () => store.page(query)),
    prune: (slice) => take('prune', () => store.prune(slice)),
    changeEpoch: () => take('changeEpoch', () => store.changeEpoch()),
    onCommit: (listener) => store.onCommit(listener),
    close: () => take('close', () => store.close()),
    [Symbol.asyncDispose]: () => take('close', () => store.close()),
  };
}

interface Plan {
  readonly steps: StoreStep[];
  readonly faults: readonly StoreFault[];
  readonly take: <T>(step: StoreStep, work: () => Promise<T>) => Promise<T>;
}

async function runWithFaults<T>(
  store: SyncStore,
  { steps, faults, take }: Plan,
  work: (transaction: StoreTransaction) => Promise<T>,
): Promise<T> {
  let atCommit: readonly StoreFault[] = [];
  const result = await store.transaction(async (transaction) => {
    await take('begin', async () => {});
    const done = await work(faultyTransaction(transaction, take));
    // A commit has no call of its own: before it is the end of the work, after it is the end of the transaction.
    atCommit = countStep(steps, 'commit', faults);
    throwFault(atCommit, 'before', steps);
    return done;
  });
  throwFault(atCommit, 'after', steps);
  return result;
}

function faultyTransaction(transaction: StoreTransaction, take: Plan['take']): StoreTransaction {
  return {
    get handle() {
      return transaction.handle;
    },
    load: (request) => take('load', () => transaction.load(request)),
    // Nothing is the last: the commit is a step of its own.
    save: (request) => take('save', () => transaction.save({ ...request, isLast: false })),
    savepoint: (work) => take('savepoint', () => transaction.savepoint(work)),
  };
}

/** Counts a step; answers the faults that are due at it. */
function countStep(steps: StoreStep[], step: StoreStep, faults: readonly StoreFault[]): readonly StoreFault[] {
  steps.push(step);
  const ofKind = steps.filter((taken) => taken === step).length;
  return faults.filter((fault) => (fault.step === undefined ? fault.nth === steps.length : isDue(fault, step, ofKind)));
}

function isDue(fault: StoreFault, step: StoreStep, ofKind: number): boolean {
  return fault.step === step && fault.nth === ofKind;
}

function throwFault(due: readonly StoreFault[], when: StoreFault['when'], steps: readonly StoreStep[]): void {
  const fault = due.find((planned) => planned.when === when);
  if (fault) throw fault.error ?? new InjectedFault(`Fault injected ${when} step ${steps.length} (${steps.at(-1)}).`);
}
