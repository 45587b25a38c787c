/** What each workload writes: the same in every run and for every contestant. */
import { seededRandom } from './random.js';
import { makeEdit, makeTask, makeTasks, type TaskChange, taskId } from './task.js';

export interface PushData {
  /** Records that both sides have. */
  readonly existing: readonly TaskChange[];
  readonly creates: readonly TaskChange[];
  /** One change of one field for each existing record, in another order. */
  readonly updates: readonly TaskChange[];
}

/** As many creates as updates, of as many records. */
export function pushData(count: number): PushData {
  const random = seededRandom(101);
  const order = shuffled(count, random);
  return {
    existing: makeTasks(count),
    creates: makeTasks(count, count),
    updates: order.map((n, index) => [taskId(n), makeEdit(index, random)]),
  };
}

export interface FanInData {
  readonly existing: readonly TaskChange[];
  readonly editsByClient: readonly (readonly TaskChange[])[];
}

/** Each client edits single fields: one in five edits on the fifth of the records that all edit, the rest on its own. */
export function fanInData({ clients, edits, records }: { clients: number; edits: number; records: number }): FanInData {
  const shared = Math.floor(records / 5);
  const own = Math.floor((records - shared) / clients);
  const editsByClient = Array.from({ length: clients }, (_, client) => {
    const random = seededRandom(7000 + client);
    return Array.from({ length: edits }, (_, n): TaskChange => {
      const isShared = random() < 0.2;
      const record = isShared ? random() * shared : shared + client * own + Math.floor(random() * own);
      return [taskId(Math.floor(record)), makeEdit(client * 100_000 + n, random)];
    });
  });
  return { existing: makeTasks(records), editsByClient };
}

/** Changes of single fields of records below `records`, for a server that goes on while a client is away. */
export function changesBehind(count: number, { records, round }: { records: number; round: number }) {
  const random = seededRandom(900 + round);
  return Array.from({ length: count }, (_, n): TaskChange => {
    return [taskId(Math.floor(random() * records)), makeEdit((900 + round) * 1000 + n, random)];
  });
}

export interface LogStep {
  readonly operation: 'create' | 'update';
  readonly recordId: string;
  readonly data: TaskChange[1];
}

/** A create, a change of one field of it, and so on. */
export function logData(count: number): readonly LogStep[] {
  const random = seededRandom(44);
  const pool = Array.from({ length: 1000 }, (_, n) => makeTask(n));
  return Array.from({ length: count }, (_, n): LogStep => {
    const recordId = taskId(n >> 1);
    return n % 2 === 0
      ? { operation: 'create', recordId, data: pool[(n >> 1) % pool.length] ?? makeTask(n) }
      : { operation: 'update', recordId, data: makeEdit(n, random) };
  });
}

export interface RemoteWrite {
  readonly recordId: string;
  readonly data: TaskChange[1];
  readonly time: number;
  readonly writer: 0 | 1;
  readonly sequence: number;
}

/** Whole records from two writers in turn, whose clocks run close together, over a thousand records. */
export function remoteWrites(count: number): readonly RemoteWrite[] {
  return Array.from({ length: count }, (_, n): RemoteWrite => {
    const writer = n % 2 === 0 ? 0 : 1;
    const step = n >> 1;
    const time = step * 2 + (writer === 0 ? 1 : -1) * (step % 3);
    return { recordId: taskId(step % 1000), data: makeTask(n), time, writer, sequence: step + 1 };
  });
}

function shuffled(count: number, random: () => number): readonly number[] {
  const order = Array.from({ length: count }, (_, n) => n);
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] ?? 0, order[last] ?? 0];
  }
  return order;
}
