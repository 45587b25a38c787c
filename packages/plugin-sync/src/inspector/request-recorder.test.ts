import type { SyncPushRequest } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { sampleMutation } from '../storage/contract/storage-samples.js';
import type { SyncTransport } from '../transport/transport.js';
import { RequestRecorder } from './request-recorder.js';

const REQUEST: SyncPushRequest = {
  clientId: 'device-1',
  mutations: ['m1', 'm2', 'm3', 'm4', 'm5'].map((id) => sampleMutation({ id })),
  lastCheckpoint: 'place-1',
};

/** A watched transport, whose every answer is what `answer` returns. */
function watched(answer: () => unknown) {
  const recorder = new RequestRecorder({ now: () => 5, keep: 10, onChanged: () => {} });
  class Transport {
    readonly #prepared: string[] = [];
    async push(): Promise<unknown> {
      return answer();
    }
    async pull(): Promise<unknown> {
      return answer();
    }
    prepare(text: string): readonly string[] {
      this.#prepared.push(text);
      return this.#prepared;
    }
  }
  const transport = recorder.watch(
    // A cast, because a transport of the application's may answer anything.
    new Transport() as unknown as SyncTransport,
  ) as SyncTransport & Required<Pick<SyncTransport, 'pull'>> & Pick<Transport, 'prepare'>;
  return { recorder, transport };
}

test('hands on whatever a transport answers or throws, and tells that it did', async () => {
  const nothing = { status: 'answered', tookMs: 0, changes: 0, checkpoint: 'none', hasMore: false, reset: null };
  for (const answer of [null, undefined, 'text', {}, new Response('')]) {
    const { recorder, transport } = watched(() => answer);
    expect(await transport.push(REQUEST)).toBe(answer);
    expect([recorder.requests.map(({ outcome }) => outcome), recorder.outcomes]).toEqual([[nothing], []]);
  }
  for (const thrown of [new Error('lost'), 'lost']) {
    const { recorder, transport } = watched(() => {
      throw thrown;
    });
    await expect(transport.push(REQUEST)).rejects.toBe(thrown);
    expect(recorder.requests[0]?.outcome).toEqual({ status: 'failed', tookMs: 0, message: 'lost' });
  }
});

test('records pushes and pulls alone, and what an answer says of the feed', async () => {
  const { recorder, transport } = watched(() => ({
    serverChanges: [{}],
    checkpoint: 'c',
    hasMore: true,
    reset: 'scope',
  }));
  expect(transport.prepare('next')).toEqual(['next']);
  await transport.pull(REQUEST);
  const { mutations: _, ...pull } = REQUEST;
  await transport.pull(pull);
  const outcome = { status: 'answered', tookMs: 0, changes: 1, checkpoint: 'c', hasMore: true, reset: 'scope' };
  const request = { kind: 'pull', startedAt: 5, checkpoint: 'place-1', outcome };
  expect(recorder.requests).toEqual([
    { ...request, number: 2, mutationIds: [] },
    { ...request, number: 1, mutationIds: ['m1', 'm2', 'm3', 'm4', 'm5'] },
  ]);
});

test('says in words what became of each mutation, by its id, or by its place where a server names none', async () => {
  const conflict = { conflictingFields: ['title', 'due'] };
  const { recorder, transport } = watched(() => ({
    results: [
      { mutationId: 'm2', status: 'applied', serverVersion: 4, droppedFields: ['title'], duplicate: true },
      { mutationId: 'm1', status: 'applied', serverVersion: 5, droppedFields: [] },
      { status: 'conflict', conflict },
      { mutationId: 'm4', status: 'conflict', conflict: { kind: 'delete', conflictingFields: [] } },
      { mutationId: 'm5', status: 'rejected', code: 'FORBIDDEN' },
      { status: 'applied', serverVersion: 1 },
    ],
  }));
  await transport.push(REQUEST);
  expect(recorder.outcomes.map(({ mutationId, detail }) => `${mutationId} ${detail}`)).toEqual([
    'm5 FORBIDDEN',
    'm4 delete',
    'm3 title, due',
    'm1 version 5',
    'm2 version 4, without title, told again',
  ]);
});
