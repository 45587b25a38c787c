/** Tells which records of which object an operation of the data engine writes. */
import { AS_SYSTEM, type DataEngine, type EngineOperation } from './data-engine.js';

const WRITES = ['insert', 'update', 'delete'];

export function isWrite({ operation }: EngineOperation): boolean {
  return WRITES.includes(operation);
}

/**
 * The name under which an operation's object is defined: the engine uses its table's, `task` for one named `crm__task`.
 */
export function definedNameOf({ object }: EngineOperation, { registry }: DataEngine): string {
  return registry.getObject(object)?.name ?? object;
}

/**
 * The records that an operation is about to write, as far as it names them. Call it before the write: a write may
 * change the fields by which its records are found, and a hook may give a new record another id, or leave its answer
 * empty.
 */
export async function idsBeforeWrite(operation: EngineOperation, engine: DataEngine): Promise<readonly string[]> {
  const { ast, data, options, context } = operation;
  if (operation.operation === 'insert') return idsOf(data);
  const id = idOf(data) ?? idOf(options?.where);
  if (!ast) return id === undefined ? [] : [id];
  const where = ast.where ?? options?.where;
  const rows = await engine.find(
    operation.object,
    { ...(where ? { where } : {}), fields: ['id'] },
    { context: { ...AS_SYSTEM, ...(context?.transaction ? { transaction: context.transaction } : {}) } },
  );
  return idsOf(rows);
}

/** The records that an insert has written, by its answer: a record, many, or an outcome for each. */
export function idsAfterInsert({ operation, result }: EngineOperation): readonly string[] {
  return operation === 'insert' ? idsOf(result) : [];
}

function idsOf(result: unknown): readonly string[] {
  return [result]
    .flat()
    .flatMap((row) => idOf(row) ?? idOf((row as { readonly record?: unknown } | null)?.record) ?? []);
}

/** The engine treats a number as the record whose id is the same text. */
function idOf(value: unknown): string | undefined {
  const id = typeof value === 'object' && value !== null ? (value as { readonly id?: unknown }).id : undefined;
  return typeof id === 'string' || typeof id === 'number' || typeof id === 'bigint' ? String(id) : undefined;
}
