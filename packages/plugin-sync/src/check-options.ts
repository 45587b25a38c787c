/** Finds mistakes in the options at once, not in production. */
import type { SyncClientOptions } from './sync-client.js';
import { SyncUsageError } from './sync-usage-error.js';
import { identifier, parseOr } from './transport/wire-parser.js';

/** The options of every client; for objects, a method that identifies them, and what to pass. */
const CLIENT_OPTIONS: Readonly<Record<keyof SyncClientOptions, readonly [method?: string, expected?: string]>> = {
  clientId: [],
  transport: ['push', 'httpTransport({ url })'],
  storage: ['load', 'a ClientStorage'],
  tabs: ['join', 'sharedTabs()'],
  onConflict: ['call', 'a function'],
  listeners: ['forEach', 'a list'],
  user: [],
  live: ['call', 'liveUpdates()'],
  platform: [],
};

/**
 * Throws `SyncUsageError` naming the first option that is unknown or impossible: otherwise a wrong storage would keep
 * nothing, and a wrong transport would look like a server out of reach. `others` are the owner's own options.
 */
export function checkClientOptions(options: SyncClientOptions, others: readonly string[]): void {
  refuseUnknownOptions(options, [...Object.keys(CLIENT_OPTIONS), ...others]);
  const given: Readonly<Record<string, unknown>> = { ...options };
  for (const [option, [method, expected]] of Object.entries(CLIENT_OPTIONS)) {
    const value = given[option] ?? null;
    if (!method || (value === null && option !== 'transport')) continue;
    if (typeof Object(value)[method] === 'function') continue;
    throw new SyncUsageError('INVALID_CONFIG', `${option} must be ${expected}.`);
  }
}

/** Throws `SyncUsageError` naming the first unknown option, with `path` before its name. */
export function refuseUnknownOptions(options: object, known: readonly string[], path = ''): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown)
    throw new SyncUsageError('INVALID_CONFIG', `${path}${unknown} is no option. Known: ${known.join(', ')}.`);
}

/** Throws `SyncUsageError` unless every store and server accepts this as an id. */
export function checkClientId(clientId: string): void {
  parseOr(
    () => identifier(clientId),
    ({ message }) => new SyncUsageError('INVALID_CONFIG', `clientId ${message}.`),
  );
}
