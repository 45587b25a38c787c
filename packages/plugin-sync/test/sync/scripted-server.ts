/** A server that answers what the test says, and a note of what it was asked. */
import type { SyncMutationResult, SyncPushRequest, SyncPushResponse, SyncServerChange } from '@objectql/sync-types';
import type { SyncTransport, TransportOptions } from '../../src/transport/transport.js';

export type Script = (request: SyncPushRequest, call: number, options?: TransportOptions) => unknown;

export interface ScriptedServer {
  readonly transport: SyncTransport;
  readonly requests: readonly SyncPushRequest[];
  /** What answers from now on. */
  script: Script;
}

/** `script` is asked for each answer; an error it throws is what the transport rejects with. */
export function scriptedServer(script: Script = (request) => appliedAll(request)): ScriptedServer {
  const requests: SyncPushRequest[] = [];
  const server = {
    requests,
    script,
    transport: {
      push: async (request: SyncPushRequest, options?: TransportOptions) => {
        requests.push(structuredClone(request));
        return structuredClone(await server.script(request, requests.length, options)) as SyncPushResponse;
      },
    },
  };
  return server;
}

/** An answer of protocol 2 with these results, and nothing else new. */
export function answer(results: readonly SyncMutationResult[], more: Partial<SyncPushResponse> = {}): SyncPushResponse {
  return { protocol: 2, results, serverChanges: [], checkpoint: 'c1', ...more };
}

/** Every mutation applied, one version above its base. */
export function appliedAll(request: SyncPushRequest, more: Partial<SyncPushResponse> = {}): SyncPushResponse {
  const results = request.mutations.map(
    ({ id, baseVersion }): SyncMutationResult => ({
      status: 'applied',
      mutationId: id,
      serverVersion: (baseVersion ?? 0) + 1,
    }),
  );
  return answer(results, more);
}

/** A change as a server tells it. */
export function change(
  recordId: string,
  serverVersion: number,
  data: SyncServerChange['data'] | null = { title: recordId },
): SyncServerChange {
  const common = { objectName: 'task', recordId, serverVersion, timestamp: '2026-01-01T00:00:00.000Z' };
  return data === null ? { ...common, operation: 'delete' } : { ...common, operation: 'update', data };
}
