/** What the user of one tab sees, waits for, and has done there. */
import type { LocalRecord, SyncPlugin, SyncStatus } from '@objectql/plugin-sync';
import type { MutationLogEntry } from '@objectql/sync-types';
import { OBJECT_NAMES } from '../disk.js';
import { nameOf } from '../record-name.js';

/** Everything that all tabs show alike. */
export interface Shown {
  /** By name: version, fields, and whether a change of it waits. */
  readonly records: Readonly<Record<string, string>>;
  readonly conflicts: readonly string[];
  readonly deadLetters: readonly string[];
  readonly status: SyncStatus;
}

export class TabApp {
  readonly #plugin: SyncPlugin;
  /** What subscribers were told last. */
  readonly #toldByObject = new Map<string, readonly LocalRecord[]>();
  #toldStatus: SyncStatus | undefined;
  #toldConflicts: readonly string[] = [];
  #toldDeadLetters: readonly string[] = [];
  readonly #open = new Set<string>();
  readonly #made: string[] = [];
  #promises = 0;
  #syncs = 0;

  constructor(plugin: SyncPlugin) {
    this.#plugin = plugin;
    const { client } = plugin;
    for (const objectName of OBJECT_NAMES) {
      plugin.getEngine(objectName).records.subscribe((records) => void this.#toldByObject.set(objectName, records));
    }
    client.conflicts.subscribe((items) => {
      this.#toldConflicts = idsOf(items);
    });
    client.deadLetters.subscribe((items) => {
      this.#toldDeadLetters = idsOf(items);
    });
    client.subscribeStatus((status) => {
      this.#toldStatus = status;
    });
  }

  /** What is called in this tab and has not ended. */
  get open(): ReadonlySet<string> {
    return this.#open;
  }

  /** The ids of the user's changes in this tab, in the order in which they were made. */
  get made(): readonly string[] {
    return this.#made;
  }

  /** Whether it knows of the mutation as pending, or was told that its record is there. */
  knows({ id, recordId }: Pick<MutationLogEntry, 'id' | 'recordId'>): boolean {
    const records = [...this.#toldByObject.values()].flat();
    return this.#plugin.client.log.pending.get(id) !== undefined || records.some((one) => one.recordId === recordId);
  }

  /** Notes a change that the user has made. */
  noteMade(id: string): void {
    this.#made.push(id);
  }

  /** How many syncs it was told of. */
  get syncs(): number {
    return this.#syncs;
  }

  /** Notes that it was told of the end of a sync. */
  noteSync(): void {
    this.#syncs += 1;
  }

  /** Notes a call, which must end. */
  expect(what: string, ended: Promise<unknown>): void {
    const name = `${what}, call ${++this.#promises}`;
    this.#open.add(name);
    const end = () => void this.#open.delete(name);
    ended.then(end, end);
  }

  /** What the user sees who asks for it. */
  async shown(): Promise<Shown> {
    const lists = await Promise.all(OBJECT_NAMES.map((name) => this.#plugin.getEngine(name).records.list()));
    const { conflicts, deadLetters, status } = this.#plugin.client;
    return {
      records: namedOf(lists.flat()),
      conflicts: idsOf(conflicts.list()),
      deadLetters: idsOf(deadLetters.list()),
      status,
    };
  }

  /** What the user sees who was told last. */
  told(): Shown {
    const { status } = this.#plugin.client;
    return {
      records: namedOf([...this.#toldByObject.values()].flat()),
      conflicts: this.#toldConflicts,
      deadLetters: this.#toldDeadLetters,
      status: this.#toldStatus ?? status,
    };
  }
}

/** In the order of the ids: of what came in one moment, each tab has an order of its own. */
function idsOf(items: readonly { readonly id: string }[]): readonly string[] {
  return items.map(({ id }) => id).sort();
}

function namedOf(records: readonly LocalRecord[]): Shown['records'] {
  const named = records.map((record): readonly [string, string] => [
    nameOf(record),
    JSON.stringify([record.version, record.isPending, Object.entries(record.data).sort()]),
  ]);
  return Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}
