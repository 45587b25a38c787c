import type { SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import { describe, expect, test } from 'vitest';
import { TestPlatform } from '../platform/test-platform.js';
import { TransportError, type TransportFailure } from '../transport/transport.js';
import type { Fault, FaultPlan } from './fault.js';
import { faultTransport } from './fault-transport.js';

const REQUEST: SyncPushRequest = { clientId: 'device-1', mutations: [], lastCheckpoint: null };

type Heard = { readonly answer: string } | { readonly failure: TransportFailure };

/** What the client hears and how often the server was asked, for each fault. */
const EXPECTED: Readonly<Record<Fault['do'], { fault: Fault; heard: Heard; asked: number }>> = {
  pass: { fault: { do: 'pass' }, heard: { answer: 'place-1' }, asked: 1 },
  'lose-request': { fault: { do: 'lose-request' }, heard: { failure: { type: 'unreachable' } }, asked: 0 },
  'lose-answer': { fault: { do: 'lose-answer' }, heard: { failure: { type: 'unreachable' } }, asked: 1 },
  hang: { fault: { do: 'hang' }, heard: { failure: { type: 'timeout' } }, asked: 0 },
  delay: { fault: { do: 'delay', ms: 5000 }, heard: { answer: 'place-1' }, asked: 1 },
  duplicate: { fault: { do: 'duplicate' }, heard: { answer: 'place-2' }, asked: 2 },
  refuse: {
    fault: { do: 'refuse', status: 429, code: 'RATE_LIMITED', retryAfterMs: 7000 },
    heard: { failure: { type: 'refused', status: 429, code: 'RATE_LIMITED', retryAfterMs: 7000 } },
    asked: 0,
  },
};

describe('a fault transport', () => {
  for (const [name, { fault, heard, asked }] of Object.entries(EXPECTED)) {
    test(`lets the client and the server see what "${name}" means`, async () => {
      const { push, server } = faulty([fault]);
      expect({ heard: await push(), asked: server.asked }).toEqual({ heard, asked });
    });
  }

  test('passes everything behind the end of its list', async () => {
    const { push } = faulty([{ do: 'lose-request' }]);
    expect([await push(), await push()]).toEqual([{ failure: { type: 'unreachable' } }, { answer: 'place-1' }]);
  });

  test('answers a delayed request at its time, and not before', async () => {
    const { transport, platform } = faulty([{ do: 'delay', ms: 5000 }]);
    const heard: string[] = [];
    const pushed = transport.push(REQUEST).then(({ checkpoint }) => heard.push(checkpoint));
    await platform.advance(4999);
    expect(heard).toEqual([]);
    await platform.advance(1);
    await pushed;
    expect(heard).toEqual(['place-1']);
  });

  test('remembers every request as it was sent, those included that the server never saw', async () => {
    const { transport, push } = faulty((_, index) => ({ do: index === 0 ? 'lose-request' : 'pass' }));
    await push();
    await push();
    expect(transport.requests).toEqual([REQUEST, REQUEST]);
  });
});

function faulty(plan: FaultPlan) {
  const platform = new TestPlatform();
  const server = {
    asked: 0,
    async push(): Promise<SyncPushResponse> {
      server.asked += 1;
      return { results: [], serverChanges: [], checkpoint: `place-${server.asked}` };
    },
  };
  const transport = faultTransport(server, { plan, platform });
  /** Pushes as a client does that gives up after 30 s. */
  async function push(): Promise<Heard> {
    const giveUp = new AbortController();
    const cancel = platform.setTimer(() => giveUp.abort(new TransportError('Timed out.', { type: 'timeout' })), 30_000);
    const heard = transport.push(REQUEST, { signal: giveUp.signal }).then(
      ({ checkpoint }): Heard => ({ answer: checkpoint }),
      (error: unknown): Heard => {
        if (error instanceof TransportError) return { failure: error.failure };
        throw error;
      },
    );
    await platform.advance(60_000);
    cancel();
    return heard;
  }
  return { transport, platform, server, push };
}
