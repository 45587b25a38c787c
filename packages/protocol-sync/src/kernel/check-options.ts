/** Checks the plugin's options as plain JavaScript may pass them: a misspelt option must not be silently ignored. */
import { COUNT_KIND, FLAG_KIND, type OptionKinds, refuseWrongOptions } from '../refuse-wrong-options.js';
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
  enabled: { ...FLAG_KIND, isRequired: true },
  path: true,
  maxMutationsPerRequest: COUNT_KIND,
  maxConcurrentRequests: COUNT_KIND,
  changeLogRetentionDays: COUNT_KIND,
  realtime: FLAG_KIND,
};

/** Throws `TypeError` naming the first option that is unknown or makes no sense. */
export function checkOptions(options: SyncProtocolPluginOptions): void {
  refuseWrongOptions(options, OPTIONS, 'SyncProtocolPlugin: ');
  const { endpoint, limits } = options;
  if (!endpoint) return;
  refuseWrongOptions(endpoint, ENDPOINT_OPTIONS, 'SyncProtocolPlugin: endpoint.');
  if (endpoint.path !== undefined && !isPath(endpoint.path)) {
    throw problem(`endpoint.path must be a path like '/api/sync', not ${JSON.stringify(endpoint.path)}`);
  }
  if (endpoint.maxMutationsPerRequest !== undefined && limits?.maxMutations !== undefined) {
    throw problem('endpoint.maxMutationsPerRequest and limits.maxMutations are the same limit. Give one of them');
  }
}

function isPath(path: unknown): boolean {
  return typeof path === 'string' && /^\/[\w\-./~]*$/.test(path);
}

function problem(what: string): TypeError {
  return new TypeError(`SyncProtocolPlugin: ${what}.`);
}
