/** Checks the options of the plugin as plain JavaScript may pass them: what is misspelt must not be silently ignored. */
import type { SyncProtocolPluginOptions } from '../sync-protocol-plugin.js';

const OPTIONS = [
  'endpoint',
  'conflictFields',
  'strategy',
  'objects',
  'store',
  'resolver',
  'authenticate',
  'authorize',
  'limits',
  'onWarning',
  'platform',
] as const satisfies readonly (keyof SyncProtocolPluginOptions)[];

const ENDPOINT_OPTIONS = [
  'enabled',
  'path',
  'maxMutationsPerRequest',
  'maxConcurrentRequests',
  'changeLogRetentionDays',
  'realtime',
] as const satisfies readonly (keyof NonNullable<SyncProtocolPluginOptions['endpoint']>)[];

/** Throws `TypeError` naming the first option that is unknown or cannot be meant. */
export function checkOptions(options: SyncProtocolPluginOptions): void {
  checkNames(options, { known: OPTIONS, prefix: '' });
  const { endpoint, conflictFields, limits } = options;
  checkConflictFields(conflictFields);
  if (!endpoint) return;
  checkNames(endpoint, { known: ENDPOINT_OPTIONS, prefix: 'endpoint.' });
  if (typeof endpoint.enabled !== 'boolean') throw problem('endpoint.enabled must be true or false');
  if (endpoint.path !== undefined && !isPath(endpoint.path)) {
    throw problem(`endpoint.path must be a path like '/api/sync', not ${JSON.stringify(endpoint.path)}`);
  }
  if (endpoint.realtime !== undefined && typeof endpoint.realtime !== 'boolean') {
    throw problem('endpoint.realtime must be true or false');
  }
  if (endpoint.maxMutationsPerRequest !== undefined && limits?.maxMutations !== undefined) {
    throw problem('endpoint.maxMutationsPerRequest and limits.maxMutations are the same limit. Give one of them');
  }
  for (const name of ['maxMutationsPerRequest', 'maxConcurrentRequests', 'changeLogRetentionDays'] as const) {
    const value = endpoint[name];
    if (value !== undefined && !(value > 0)) throw problem(`endpoint.${name} must be a positive number, not ${value}`);
  }
}

function checkNames(
  given: object,
  { known, prefix }: { readonly known: readonly string[]; readonly prefix: string },
): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown) throw problem(`${prefix}${unknown} is unknown. Known: ${known.join(', ')}`);
}

function checkConflictFields(conflictFields: unknown): void {
  if (conflictFields === undefined) return;
  if (!(conflictFields instanceof Map)) {
    throw problem("conflictFields must be a Map, e.g. new Map([['task', ['title', 'status']]])");
  }
  for (const [objectName, fields] of conflictFields) {
    const isList = Array.isArray(fields) && fields.every((field) => typeof field === 'string');
    if (!isList) throw problem(`conflictFields must list field names for ${objectName}`);
  }
}

function isPath(path: unknown): boolean {
  return typeof path === 'string' && /^\/[\w\-./~]*$/.test(path);
}

function problem(what: string): TypeError {
  return new TypeError(`SyncProtocolPlugin: ${what}.`);
}
