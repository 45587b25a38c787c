/** Carries a request that has reached the server to it, and its answer back: the watch on the wire sees both. */
import type { SyncErrorBody, SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import type { Mutant } from './mutants/mutant.js';
import type { ServerHost } from './server-host.js';
import type { Sent, WireWatch } from './wire-watch.js';

export interface Delivery {
  readonly wire: WireWatch;
  readonly host: ServerHost;
  readonly mutant: Mutant | undefined;
}

/** Never resolves when the server dies meanwhile, and rejects when it is down. */
export async function deliver(
  kind: 'push' | 'pull',
  sent: Sent,
  { wire, host, mutant }: Delivery,
): Promise<SyncPushResponse | SyncErrorBody> {
  const open = wire.request(sent);
  const { floor, line } = host.truth;
  const body = mutant?.request ? mutant.request(sent.body, host.truth) : sent.body;
  const user = mutant?.principal ? mutant.principal(sent.user, body, host.truth) : sent.user;
  const handled = await (mutant?.isSplitting && kind === 'push' && body.mutations.length > 1
    ? handleSplit(host, body, user)
    : host.handle(kind, body, user));
  const answer = mutant?.answer && 'results' in handled ? mutant.answer(handled, host.truth) : handled;
  wire.answer(sent, answer, { open, floorBefore: line === host.truth.line ? floor : 0 });
  return answer;
}

async function handleSplit(
  host: ServerHost,
  body: SyncPushRequest,
  user: string,
): Promise<SyncPushResponse | SyncErrorBody> {
  const results = [];
  for (const mutation of body.mutations.slice(0, -1)) {
    const answer = await host.handle('push', { ...body, mutations: [mutation], pull: false }, user);
    if (!('results' in answer)) return answer;
    results.push(...answer.results);
  }
  const last = await host.handle('push', { ...body, mutations: body.mutations.slice(-1) }, user);
  return 'results' in last ? { ...last, results: [...results, ...last.results] } : last;
}
