/** Checks the options of the plugin as plain JavaScript may pass them: what is misspelt must not be silently ignored. */
import { type OptionKinds, refuseWrongOptions } from '../refuse-wrong-options.js';
import type { SyncProtocolPluginOptions } from '../sync-protocol-plugin.js';

const OPTIONS: OptionKinds<SyncProtocolPluginOptions> = {
  endpoint: true,
  conflictFields: true,
  strategy: true,
  objects: true,
  store: true,
  resolver: true,
  authenticate: true,
  authorize: true,
  limits: true,
  onWarning: true,
  platform: true,
};

const ENDPOINT_OPTIONS: OptionKinds<NonNullable<SyncProtocolPluginOptions['endpoint']>> = {
  enabled: true,
  path: true,
  maxMutationsPerRequest: true,
  maxConcurrentRequests: true,
  changeLogRetentionDays: true,
  realtime: true,
};

/** Throws `TypeError` naming the first option that is unknown or cannot be meant. */
export function checkOptions(options: SyncProtocolPluginOptions): void {
  refuseWrongOptions(options, OPTIONS, 'SyncProtocolPlugin: ');
  const { endpoint, limits } = options;
  if (!endpoint) return;
  refuseWrongOptions(endpoint, ENDPOINT_OPTIONS, 'SyncProtocolPlugin: endpoint.');
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

function isPath(path: unknown): boolean {
  return typeof path === 'string' && /^\/[\w\-./~]*$/.test(path);
}

function problem(what: string): TypeError {
  return new TypeError(`SyncProtocolPlugin: ${what}.`);
}
