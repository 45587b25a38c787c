/** Which request is meant for sync, by its method and path. */
import { SyncRequestError } from '../sync-request-error.js';

export type SyncAction = 'push' | 'pull';

/** `path` with one leading slash and none at its end: `api/sync/` and `/api/sync` are the same place. */
export function normalizePath(path: string): string {
  const trimmed = path.replace(/^\/+|\/+$/g, '');
  return trimmed === '' ? '' : `/${trimmed}`;
}

/** What a request asks for, or the error it is answered with when that is nothing. */
export function syncActionOf(request: Request, path: string): SyncAction | SyncRequestError {
  const pathname = normalizePath(new URL(request.url).pathname);
  // The end of the path decides, because a server may be mounted below a prefix it knows nothing of.
  const action = (['push', 'pull'] as const).find((name) => pathname.endsWith(`${path}/${name}`));
  const known = `POST ${path}/push and POST ${path}/pull`;
  if (!action) return new SyncRequestError('NOT_FOUND', `There is no sync endpoint here. There are ${known}.`);
  if (request.method === 'POST') return action;
  return new SyncRequestError('METHOD_NOT_ALLOWED', `Sync takes no ${request.method}. There are ${known}.`);
}
