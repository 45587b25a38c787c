/** An option that nobody reads is a mistake, and better found at once than in production. */
import type { SyncClientOptions } from './sync-client.js';
import { SyncUsageError } from './sync-usage-error.js';

/** The options every client takes. */
export const CLIENT_OPTIONS = [
  'clientId',
  'transport',
  'storage',
  'tabs',
  'onConflict',
  'listeners',
  'user',
  'live',
  'platform',
] as const satisfies readonly (keyof SyncClientOptions)[];

/** Throws `SyncUsageError` naming the first option that is none of the known ones, with `path` before its name. */
export function refuseUnknownOptions(options: object, known: readonly string[], path = ''): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown)
    throw new SyncUsageError('INVALID_CONFIG', `${path}${unknown} is no option. Known: ${known.join(', ')}.`);
}
