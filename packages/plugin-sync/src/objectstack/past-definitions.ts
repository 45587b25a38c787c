/** What the server has is so: where the definitions of the local engine refuse it, its driver writes it. */
import type { DataEngine, EngineOperation } from '@objectql/sync-types/kernel';

/** What is needed of ObjectStack's drivers. */
interface Driver {
  create(table: string, record: unknown, options: DriverOptions): Promise<unknown>;
  update(table: string, id: string, record: unknown, options: DriverOptions): Promise<unknown>;
  delete(table: string, id: string, options: DriverOptions): Promise<unknown>;
}

interface DriverOptions {
  readonly transaction: unknown;
}

/** A value or a reference that the definitions do not allow, and not what the database or a hook has failed at. */
const REFUSALS: readonly unknown[] = ['VALIDATION_FAILED', 'DELETE_RESTRICTED'];

/** Carries out a write of one record, past the definitions where they refuse it: without its hooks, and with nothing that follows it. */
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
    const { object, data, context } = operation;
    // A cast, because the engine tells nothing of its drivers.
    const driver = engine.getDriverForObject(object) as Driver;
    const options = { transaction: context?.transaction };
    if (operation.operation === 'delete') await driver.delete(object, recordId, options);
    else if (operation.operation === 'insert') await driver.create(object, data, options);
    else await driver.update(object, recordId, data, options);
  }
}
