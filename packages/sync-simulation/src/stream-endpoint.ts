/** The HTTP endpoint of a server process, for its live streams. Sessions are tokens that name their user. */
import {
  createSyncEndpoint,
  type SyncEndpoint,
  type SyncHandler,
  type SyncHandlerOptions,
} from '@objectql/protocol-sync';
import type { Mutant } from './mutants/mutant.js';

export interface StreamEndpointParts {
  readonly platform: NonNullable<SyncHandlerOptions['platform']>;
  readonly mutant: Mutant | undefined;
  readonly log: (line: string) => void;
}

/** The token of a session that has expired. */
export const EXPIRED = 'expired';

export function streamEndpoint(handler: SyncHandler, { platform, mutant, log }: StreamEndpointParts): SyncEndpoint {
  const watch: SyncHandler['watch'] = (checkpoint, watcher) =>
    handler.watch(checkpoint, mutant?.watcher ? mutant.watcher(watcher) : watcher);
  return createSyncEndpoint({
    handler: {
      limits: handler.limits,
      answerPush: (...request) => handler.answerPush(...request),
      answerPull: (...request) => handler.answerPull(...request),
      watch,
    },
    realtime: true,
    authenticate: ({ headers }) => {
      const [, token = EXPIRED] = headers.get('authorization')?.split(' ') ?? [];
      return token === EXPIRED ? null : { id: mutant?.streamUser?.(token) ?? token };
    },
    platform,
    onError: (error) => log(`server: a stream failed, ${error}`),
  });
}
