/** Requests as a client sends them, for tests of the endpoint and its adapters. */
import type { SyncPushRequest } from '@objectql/sync-types';
import type { RecordResolver } from '../records/record-resolver.js';

/** A push of one new task, complete and valid. */
export function pushBody(parts: Partial<SyncPushRequest> = {}): SyncPushRequest {
  return {
    clientId: 'phone',
    logId: 'log-of-phone',
    protocol: 2,
    lastCheckpoint: null,
    mutations: [
      {
        id: 'mutation-1',
        objectName: 'task',
        recordId: 'task-1',
        operation: 'create',
        data: { title: 'Buy milk' },
        timestamp: '2026-01-01T00:00:00.000Z',
        clientId: 'phone',
        sequence: 1,
        baseVersion: null,
      },
    ],
    ...parts,
  };
}

/** A pull from the feed's start. */
export const PULL_BODY = { clientId: 'tablet', lastCheckpoint: null, protocol: 2 } as const;

/** `fetch` options that POST `body` as JSON; a string is sent as it is. */
export function post(body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  };
}

/** An answer's status and JSON body. */
export async function seen(response: Response): Promise<{ readonly status: number; readonly body: unknown }> {
  return { status: response.status, body: await response.json() };
}

/** A resolver whose writes wait until they are let through; `reached` is the signal of the first. */
export function gatedResolver() {
  let open = (): void => {};
  let reach = (_signal: AbortSignal): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const reached = new Promise<AbortSignal>((resolve) => {
    reach = resolve;
  });
  const resolver: RecordResolver = {
    getRecord: () => undefined,
    async applyMutation(_mutation, _version, { signal }) {
      reach(signal);
      await opened;
    },
  };
  return { resolver, reached, open: () => open() };
}
