/** A database that fails once at a chosen call of its driver. */
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';

/** The `nth` call, from 0, fails before it does anything or after it has done all. */
export interface DriverFault {
  readonly nth: number;
  readonly when: 'before' | 'after';
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

const METHODS = ['find', 'findOne', 'count', 'create', 'bulkCreate', 'update', 'updateMany', 'delete', 'deleteMany'];
const OF_TRANSACTIONS = ['beginTransaction', 'execute', 'commit'];

/** A database in memory, and what arms its driver anew. */
export function failingDriver() {
  const driver = new SqliteWasmDriver({ filename: ':memory:' });
  // A cast: the methods are replaced by their names.
  const methods = driver as unknown as Record<string, Method>;
  let fault: DriverFault | undefined;
  let calls = 0;
  for (const name of [...METHODS, ...OF_TRANSACTIONS]) {
    const method = methods[name];
    if (!method) throw new Error(`ObjectStack's driver has no method ${name} any more.`);
    methods[name] = async (...args) => {
      const isDue = fault?.nth === calls;
      calls += 1;
      if (isDue && fault?.when === 'before') throw new Error(`The disk is full (${name}).`);
      const answer = await method.apply(driver, [...args]);
      // Nobody would end a transaction of which nobody has heard.
      if (isDue && fault?.when === 'after' && name !== 'beginTransaction') throw new Error(`No answer (${name}).`);
      return answer;
    };
  }
  const arm = (next: DriverFault | undefined) => {
    fault = next;
    calls = 0;
  };
  return { driver, arm };
}
