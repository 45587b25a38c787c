/** The types whose members the tables of the reference pages list. */
import type {
  httpTransport,
  liveUpdates,
  MutationLoggerOptions,
  StorageError,
  SyncEngineOptions,
  SyncEventListener,
  SyncPluginOptions,
  SyncUsageError,
} from '@objectql/plugin-sync';
import type { FileStorage } from '@objectql/plugin-sync/file';
import type { IndexedDbStorage } from '@objectql/plugin-sync/indexeddb';
import type { DataEngineSync } from '@objectql/plugin-sync/objectstack';
import type { sharedTabs } from '@objectql/plugin-sync/tabs';
import type {
  MemoryStore,
  PostgresStore,
  ServerLimits,
  SqliteStore,
  SyncEndpointOptions,
  SyncHandlerOptions,
  SyncProtocolPluginOptions,
} from '@objectql/protocol-sync';
import type { RejectionCode, RequestErrorCode, SyncConfig } from '@objectql/sync-types';

/** Of `configuration.md`, by the call or key that stands above a table or in its first column. */
export interface OptionTables {
  readonly sync: SyncConfig;
  readonly 'new SyncPlugin(options)': SyncPluginOptions;
  readonly listeners: SyncEventListener;
  readonly 'httpTransport(options)': Parameters<typeof httpTransport>[0];
  readonly 'new IndexedDbStorage(name, options)': ConstructorParameters<typeof IndexedDbStorage>[1];
  readonly 'new FileStorage(path, options)': ConstructorParameters<typeof FileStorage>[1];
  readonly 'new MutationLogger(clientId, options)': MutationLoggerOptions;
  readonly 'liveUpdates(options)': Parameters<typeof liveUpdates>[0];
  readonly 'sharedTabs(options)': Parameters<typeof sharedTabs>[0];
  readonly 'new DataEngineSync(options)': ConstructorParameters<typeof DataEngineSync>[0];
  readonly 'new SyncHandler(options)': SyncHandlerOptions;
  readonly limits: ServerLimits;
  readonly 'createSyncEndpoint(options)': SyncEndpointOptions;
  readonly 'new SyncProtocolPlugin(options)': Omit<SyncProtocolPluginOptions, keyof SyncHandlerOptions>;
  readonly endpoint: SyncProtocolPluginOptions['endpoint'];
  readonly 'new MemoryStore(options)': ConstructorParameters<typeof MemoryStore>[0];
  readonly 'new SqliteStore(database, options)': ConstructorParameters<typeof SqliteStore>[1];
  readonly 'new PostgresStore(options)': ConstructorParameters<typeof PostgresStore>[0];
}

/** Of which `configuration.md` says that they take the same as others, but for some. */
export interface OptionSentences {
  readonly SyncEngine: SyncEngineOptions;
  readonly SyncProtocolPlugin: SyncProtocolPluginOptions;
}

/** Of `errors.md`, by the heading. */
export interface CodeTables {
  readonly 'A mutation was not applied': RejectionCode;
  readonly 'A request as a whole was refused': RequestErrorCode;
  readonly 'The call was wrong': SyncUsageError['code'];
  readonly 'The storage failed': StorageError['code'];
}
