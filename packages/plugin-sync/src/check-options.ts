/** A mistake in the options is better found at once than in production. */
import type { SyncClientOptions } from './sync-client.js';
import { SyncUsageError } from './sync-usage-error.js';
import { identifier, parseOr } from './transport/wire-parser.js';

/** The options every client takes; of those that do something, a method by which one is known, and what to pass. */
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
 * Throws `SyncUsageError` naming the first option that is unknown or cannot be meant: without this a storage that is none keeps
 * nothing, and a transport that is none looks like a server out of reach. `others` are what the client's owner takes itself.
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

/** Throws `SyncUsageError` naming the first option that is none of the known ones, with `path` before its name. */
export function refuseUnknownOptions(options: object, known: readonly string[], path = ''): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown)
    throw new SyncUsageError('INVALID_CONFIG', `${path}${unknown} is no option. Known: ${known.join(', ')}.`);
}

/** Throws `SyncUsageError` unless every store and server keeps this as an id. */
export function checkClientId(clientId: string): void {
  parseOr(
    () => identifier(clientId),
    ({ message }) => new SyncUsageError('INVALID_CONFIG', `clientId ${message}.`),
  );
}
