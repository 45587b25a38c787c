/** Tells by method and path which requests are meant for sync. */
import { SyncRequestError } from '../sync-request-error.js';

export type SyncAction = 'push' | 'pull' | 'stream';

/** The only method of each action. */
export const METHOD_BY_ACTION: Readonly<Record<SyncAction, 'POST' | 'GET'>> = {
  push: 'POST',
  pull: 'POST',
  stream: 'GET',
};

export interface SyncRoutes {
  /** The path before the action, normalized. */
  readonly path: string;
  /** Whether there is a stream. */
  readonly realtime: boolean;
}

/** The actions that the endpoint answers. */
export function actionsOf({ realtime }: Pick<SyncRoutes, 'realtime'>): readonly SyncAction[] {
  return realtime ? ['push', 'pull', 'stream'] : ['push', 'pull'];
}

/** `path` with one leading slash and none at its end: `api/sync/` and `/api/sync` are the same place. */
export function normalizePath(path: string): string {
  // Not by a pattern: `/\/+$/` begins anew at each slash, so that a long path of a stranger would take seconds.
  let start = 0;
  let end = path.length;
  while (path[start] === '/') start += 1;
  while (end > start && path[end - 1] === '/') end -= 1;
  return start === end ? '' : `/${path.slice(start, end)}`;
}

/** The action that a request's path names, whatever its method; throws `SyncRequestError` if it names none. */
export function syncActionOf(url: URL, routes: SyncRoutes): SyncAction {
  const pathname = normalizePath(url.pathname);
  // The end of the path decides, because a server may be mounted below a prefix that it does not know.
  const action = actionsOf(routes).find((name) => pathname.endsWith(`${routes.path}/${name}`));
  if (action) return action;
  throw new SyncRequestError(
    'NOT_FOUND',
    `There is no sync endpoint here. There are ${known(routes)}; the option \`path\` moves them.`,
  );
}

/** The answer to a request for an action with a wrong method. */
export function methodNotAllowed(method: string, routes: SyncRoutes): SyncRequestError {
  return new SyncRequestError('METHOD_NOT_ALLOWED', `Sync takes no ${method} there. There are ${known(routes)}.`);
}

function known(routes: SyncRoutes): string {
  const each = actionsOf(routes).map((action) => `${METHOD_BY_ACTION[action]} ${routes.path}/${action}`);
  return `${each.slice(0, -1).join(', ')} and ${each.at(-1)}`;
}
