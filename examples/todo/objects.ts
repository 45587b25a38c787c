/** The app's only object, for both sides: two titles written at once are for people to decide, everything else goes by time. */
import type { SyncConfig } from '@objectql/plugin-sync';

export const objects: ReadonlyMap<string, SyncConfig> = new Map([
  ['task', { enabled: true, strategy: 'last-write-wins', conflict_fields: ['title'], debounce_ms: 300 }],
]);
