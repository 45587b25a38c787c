/** What is needed of ObjectStack's data engine, the service `objectql`. */

/** Who a read or write is made as; see ObjectStack's `ExecutionContext`. */
export interface EngineContext {
  readonly isSystem?: boolean;
  readonly userId?: string;
  readonly [claim: string]: unknown;
}

export interface EngineOptions {
  readonly context: EngineContext;
}

/** What a hook of the engine is told; ids are strings there. */
export interface EngineHookContext {
  readonly input: {
    readonly id?: unknown;
    readonly options?: { readonly transaction?: { readonly executionPromise?: unknown } | undefined } | undefined;
  };
  /** After an insert, the record; after a delete, no record. */
  readonly result?: unknown;
}

export type EngineHook = 'afterInsert' | 'afterUpdate' | 'afterDelete';

export interface DataEngine {
  findOne(
    objectName: string,
    query: { readonly where: { readonly id: string } },
    options: EngineOptions,
  ): Promise<Readonly<Record<string, unknown>> | null>;
  insert(objectName: string, record: object, options: EngineOptions): Promise<unknown>;
  update(objectName: string, record: object, options: EngineOptions): Promise<unknown>;
  delete(objectName: string, options: EngineOptions & { readonly where: { readonly id: string } }): Promise<unknown>;
  registerHook(
    event: EngineHook,
    handler: (context: EngineHookContext) => Promise<void>,
    options: { readonly object: string },
  ): void;
}
