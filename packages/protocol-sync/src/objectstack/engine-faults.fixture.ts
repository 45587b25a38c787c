/** A data engine that fails at chosen operations, over a real one. */
import type { DataEngine, EngineContext } from '@objectql/sync-types/kernel';

/** The `nth` operation, from 1, throws before it does anything or after it has done all. */
export interface EngineFault {
  readonly nth: number;
  readonly when: 'before' | 'after';
  /** True when the process dies with it: every later operation fails as well. */
  readonly isFatal: boolean;
}

/** An engine, the operations it was asked for since it was armed last, and how to arm it. */
export interface FaultyEngine {
  readonly engine: DataEngine;
  readonly operations: readonly string[];
  readonly arm: (fault: EngineFault | undefined) => void;
}

/** `commit` counts as an operation: before it is the end of a transaction's work, after it the transaction stands. */
export function withEngineFault(engine: DataEngine): FaultyEngine {
  let fault: EngineFault | undefined;
  const operations: string[] = [];
  const isDue = (when: EngineFault['when']) =>
    fault !== undefined &&
    ((fault.nth === operations.length && fault.when === when) || (fault.isFatal && operations.length > fault.nth));
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    operations.push(name);
    if (isDue('before')) throw new Error(`Fault injected before operation ${operations.length} (${name}).`);
    const at = operations.length;
    const result = await work();
    if (fault?.nth === at && fault.when === 'after') {
      throw new Error(`Fault injected after operation ${at} (${name}).`);
    }
    return result;
  };
  const faulty: DataEngine = {
    registry: engine.registry,
    find: (...call) => step(`find ${call[0]}`, () => engine.find(...call)),
    findOne: (...call) => step(`findOne ${call[0]}`, () => engine.findOne(...call)),
    insert: (...call) => step(`insert ${call[0]}`, () => engine.insert(...call)),
    update: (...call) => step(`update ${call[0]}`, () => engine.update(...call)),
    delete: (...call) => step(`delete ${call[0]}`, () => engine.delete(...call)),
    execute: (statement, options) => step(statement.split(' ', 2).join(' '), () => engine.execute(statement, options)),
    transaction: async <T>(
      work: (context: EngineContext, info: { readonly owned: boolean }) => Promise<T>,
      context: EngineContext,
      options: { readonly require: true },
    ) => {
      let commit = 0;
      const result = await step('begin', () =>
        engine.transaction(
          async (...opened) => {
            const done = await work(...opened);
            operations.push('commit');
            commit = operations.length;
            if (isDue('before')) throw new Error(`Fault injected before operation ${commit} (commit).`);
            return done;
          },
          context,
          options,
        ),
      );
      if (fault?.nth === commit && fault.when === 'after') {
        throw new Error(`Fault injected after operation ${commit} (commit).`);
      }
      return result;
    },
    registerMiddleware: (middleware) => engine.registerMiddleware(middleware),
    syncObjectSchema: (objectName) => step(`schema ${objectName}`, () => engine.syncObjectSchema(objectName)),
    getDriverForObject: (objectName) => engine.getDriverForObject(objectName),
  };
  return {
    engine: faulty,
    operations,
    arm(next) {
      operations.length = 0;
      fault = next;
    },
  };
}
