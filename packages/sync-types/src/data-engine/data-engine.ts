/** The part of ObjectStack's data engine, the service `objectql`, that sync needs. */

/** As whom a read or write is made, and in which transaction; see ObjectStack's `ExecutionContext`. */
export interface EngineContext {
  readonly isSystem?: boolean;
  readonly userId?: string;
  /** The open transaction; without it, that of the running code. */
  readonly transaction?: unknown;
  readonly [claim: string]: unknown;
}

export interface EngineOptions {
  readonly context: EngineContext;
}

export type EngineRow = Readonly<Record<string, unknown>>;
export type EngineWhere = Readonly<Record<string, unknown>>;

export interface EngineQuery {
  readonly where?: EngineWhere;
  readonly orderBy?: readonly { readonly field: string; readonly order: 'asc' | 'desc' }[];
  readonly limit?: number;
  readonly fields?: readonly string[];
}

/** One operation on its way through the engine. */
export interface EngineOperation {
  readonly object: string;
  readonly operation: string;
  readonly data?: unknown;
  /** For a write to many records: which ones. */
  readonly ast?: { readonly where?: EngineWhere } | undefined;
  readonly options?: { readonly where?: EngineWhere } | undefined;
  readonly context?: EngineContext | undefined;
  /** What the engine answers. */
  result?: unknown;
}

/** An object's definition in the registry, which also keeps keys that it does not know. */
export interface EngineObject {
  readonly name: string;
  readonly sync?: unknown;
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface EngineRegistry {
  registerObject(definition: object, packageId: string): unknown;
  getObject(objectName: string): EngineObject | undefined;
  getAllObjects(): readonly EngineObject[];
}

export interface DataEngine {
  readonly registry: EngineRegistry;
  find(objectName: string, query: EngineQuery, options: EngineOptions): Promise<readonly EngineRow[]>;
  findOne(objectName: string, query: EngineQuery, options: EngineOptions): Promise<EngineRow | null>;
  insert(objectName: string, record: object | readonly object[], options: EngineOptions): Promise<unknown>;
  update(objectName: string, record: object, options: EngineOptions): Promise<unknown>;
  delete(
    objectName: string,
    options: EngineOptions & { readonly where: EngineWhere; readonly multi?: boolean },
  ): Promise<unknown>;
  /** Joins the transaction of the running code, if there is one, and then commits nothing itself. */
  transaction<T>(
    work: (context: EngineContext, info: { readonly owned: boolean }) => Promise<T>,
    context: EngineContext,
    options: { readonly require: true },
  ): Promise<T>;
  /** Executes one statement unchanged, with a value for each `?` in it. */
  execute(
    statement: string,
    options: { readonly transaction: unknown; readonly params?: readonly unknown[] },
  ): Promise<unknown>;
  registerMiddleware(middleware: (operation: EngineOperation, next: () => Promise<void>) => Promise<void>): void;
  syncObjectSchema(objectName: string): Promise<void>;
  getDriverForObject(objectName: string): unknown;
}

/** As ObjectStack itself: permissions do not apply, validation and hooks do. */
export const AS_SYSTEM: EngineContext = { isSystem: true };

/**
 * Put into a context, it makes fields of files read as stored, as ids, and not as the details of the files. The name is
 * ObjectStack's own.
 */
export const STORED_FILES = { __rawFileValues: true } as const;
