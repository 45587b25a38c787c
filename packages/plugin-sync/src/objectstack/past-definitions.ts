/** The server's state counts: if the local engine refuses or alters it, its driver writes it. */
import type { JsonObject } from '@objectql/sync-types';
import type { DataEngine, EngineContext, EngineOperation } from '@objectql/sync-types/kernel';

/** What is needed of ObjectStack's drivers. */
interface Driver {
  create(table: string, record: unknown, options: DriverOptions): Promise<unknown>;
  update(table: string, id: string, record: unknown, options: DriverOptions): Promise<unknown>;
  delete(table: string, id: string, options: DriverOptions): Promise<unknown>;
}

interface DriverOptions {
  readonly transaction: unknown;
}

/** The definitions refuse a value or a reference; the database or a hook has not failed. */
const REFUSALS: readonly unknown[] = ['VALIDATION_FAILED', 'DELETE_RESTRICTED'];

/**
 * Carries out a write of one record. If the definitions refuse it, its driver does: without hooks, and without what
 * follows from it.
 */
export async function writePastDefinitions(
  engine: DataEngine,
  recordId: string,
  { operation, next }: { readonly operation: EngineOperation; readonly next: () => Promise<void> },
): Promise<void> {
  try {
    await next();
  } catch (error) {
    const { code } = Object(error) as { readonly code?: unknown };
    if (!REFUSALS.includes(code)) throw error;
    await writePastHooks(engine, recordId, operation);
  }
}

/** Carries out a write of one record without hooks, and without what follows from it. */
export async function writePastHooks(engine: DataEngine, recordId: string, operation: EngineOperation): Promise<void> {
  const { object, data, context } = operation;
  const driver = driverOf(engine, object);
  const options = { transaction: context?.transaction };
  if (operation.operation === 'delete') await driver.delete(object, recordId, options);
  else if (operation.operation === 'insert') operation.result = await driver.create(object, data, options);
  else operation.result = await driver.update(object, recordId, data, options);
}

/** Changes fields of an existing record, without hooks. */
export async function updatePastHooks(
  engine: DataEngine,
  { objectName, recordId }: { readonly objectName: string; readonly recordId: string },
  { data, context }: { readonly data: JsonObject; readonly context: EngineContext },
): Promise<void> {
  await driverOf(engine, objectName).update(objectName, recordId, data, { transaction: context.transaction });
}

/** A cast, because the engine tells nothing of its drivers. */
function driverOf(engine: DataEngine, objectName: string): Driver {
  return engine.getDriverForObject(objectName) as Driver;
}
