/** What both directions of sync with a local data engine work with. */
import type { DataEngine } from '@objectql/sync-types/kernel';
import type { SyncPlugin } from '../sync-plugin.js';
import type { EngineTurns, Outside } from './engine-turns.js';
import type { Outbox } from './outbox.js';
import type { ShownVersions } from './shown-versions.js';

export interface EngineParts extends Pick<SyncPlugin, 'client' | 'platform'> {
  readonly engine: DataEngine;
  readonly turns: EngineTurns;
  readonly outbox: Outbox;
  readonly shown: ShownVersions;
  readonly onFailed: (error: unknown) => void;
  readonly outside: Outside;
}
