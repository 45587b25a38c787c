/** The server's store as one server process accesses it: every step may be the process's last. */
import type { LedgerRow, MemoryStore, Saved, SaveRequest, StoreTransaction, SyncStore } from '@objectql/protocol-sync';
import { type AppDatabase, AppTransaction } from './app-database.js';
import type { Gate } from './gate.js';
import type { Mutant } from './mutants/mutant.js';

export interface GatedStoreParts {
  readonly gate: Gate;
  readonly mutant: Mutant | undefined;
  readonly app: AppDatabase;
  /** True for a store that is open already, and that this process must not open. */
  readonly isOpen: boolean;
  /** Outcomes that this process has saved, in any of its runs. */
  readonly own: Map<string, LedgerRow>;
  /** Called at once with what a transaction has made durable. */
  readonly onCommit: (
    saves: readonly SaveRequest[],
    app: ReturnType<AppTransaction['changes']>,
    epoch: string | undefined,
  ) => void;
  readonly onPrune: (before: number) => void;
}

/** The store, behind the gate. */
export function gatedStore(store: MemoryStore, parts: GatedStoreParts): SyncStore {
  const { gate, mutant } = parts;
  return {
    open: () => gate.pass(async () => (parts.isOpen ? undefined : store.open())),
    transaction: async (work) => {
      const saves: SaveRequest[] = [];
      const app = new AppTransaction(parts.app);
      let epoch: string | undefined;
      const onSaved = (saved: Saved) => {
        epoch = saved?.epoch;
      };
      const result = await gate.pass(async () => {
        const done = await store.transaction((transaction) =>
          // A process that dies in the middle leaves a transaction that the store rolls back.
          Promise.race([gate.death, work(gatedTransaction(transaction, { parts, saves, app, onSaved }))]),
        );
        for (const { ledger = [] } of saves) for (const row of ledger) parts.own.set(row.mutationId, row);
        parts.onCommit(saves, app.changes(), epoch);
        return done;
      });
      return result;
    },
    page: (query) =>
      gate.pass(async () => {
        const page = await store.page(query);
        return mutant?.page ? mutant.page(page) : page;
      }),
    prune: (slice) =>
      gate.pass(async () => {
        const pruned = await store.prune(slice);
        parts.onPrune(slice.before);
        return pruned;
      }),
    changeEpoch: () => gate.pass(() => store.changeEpoch()),
    onCommit: (listener) =>
      store.onCommit((head) => {
        if (!gate.isDead) listener(head);
      }),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

interface TransactionParts {
  readonly parts: GatedStoreParts;
  readonly saves: SaveRequest[];
  readonly app: AppTransaction;
  readonly onSaved: (saved: Saved) => void;
}

function gatedTransaction(
  transaction: StoreTransaction,
  { parts: { gate, mutant, own }, saves, app, onSaved }: TransactionParts,
): StoreTransaction {
  return {
    handle: app,
    load: async (request) => {
      const loaded = await gate.pass(() => transaction.load(request));
      return mutant?.loaded ? mutant.loaded(loaded, request, own) : loaded;
    },
    save: (request) =>
      gate.pass(async () => {
        saves.push(request);
        const saved = await transaction.save(mutant?.saved ? mutant.saved(request) : request);
        onSaved(saved);
        return saved;
      }),
    savepoint: (work) => app.savepoint(() => transaction.savepoint(() => Promise.race([gate.death, work()]))),
  };
}
