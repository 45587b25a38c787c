import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createSyncEndpoint } from './http/sync-endpoint.js';
import { storeResolver } from './records/record-resolver.js';
import { brief, create, setUp } from './sync-handler.fixture.js';

const failed = new Error('the logger is down');
const print = vi.spyOn(console, 'warn');
const printError = vi.spyOn(console, 'error');
beforeEach(() => {
  print.mockReset().mockImplementation(() => {});
  printError.mockReset().mockImplementation(() => {});
});
afterAll(() => {
  print.mockRestore();
  printError.mockRestore();
});

describe.each([
  [
    'throws',
    () => {
      throw failed;
    },
  ],
  ['rejects', () => Promise.reject(failed)],
])('where a logger %s', (_, log: () => void) => {
  it('I13 goes on with the other mutations of a push, and prints the warning', async () => {
    const { push } = setUp({ onWarning: log });
    const poison = new TypeError('table is undefined');
    const applyMutation = ({ recordId }: { readonly recordId: unknown }) => {
      if (recordId === 'bad') throw poison;
    };
    const mutations = [create({ n: 1 }, { recordId: 'bad' }), create({ n: 1 }, { recordId: 'good' })];
    const { results } = await push({ mutations }, { ...storeResolver, applyMutation });
    await settled();
    expect(brief(results)).toEqual(['INTERNAL', 'applied']);
    expect(print.mock.calls).toMatchObject([
      ['@objectql/protocol-sync:', expect.stringMatching(/^WRITE_FAILED: Mutation /), poison],
    ]);
  });

  it('answers a request that failed, and prints why', async () => {
    const outage = new Error('the session store is down');
    const authenticate = () => Promise.reject(outage);
    const endpoint = createSyncEndpoint({ handler: setUp().handler, authenticate, onError: log });
    const answer = await endpoint(new Request('http://localhost/api/sync/pull', { method: 'POST' }));
    await settled();
    expect([answer.status, printError.mock.calls]).toEqual([401, [['@objectql/protocol-sync:', outage]]]);
  });
});

it('fills no log with what fails each request, and each mutation, in the same way', async () => {
  const authenticate = () => Promise.reject(failed);
  const { handler, push } = setUp({ onWarning: undefined });
  const endpoint = createSyncEndpoint({ handler, authenticate });
  const ask = () => endpoint(new Request('http://localhost/api/sync/pull', { method: 'POST' }));
  await Promise.all(Array.from({ length: 100 }, ask));
  const applyMutation = () => Promise.reject(failed);
  const mutations = Array.from({ length: 100 }, (_, n) => create({ n }, { recordId: `t${n}` }));
  await push({ mutations }, { ...storeResolver, applyMutation });
  expect([print.mock.calls.length, printError.mock.calls.length]).toEqual([1, 1]);
});

/** A turn of the event loop: what nobody has caught by then would have ended the process. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
