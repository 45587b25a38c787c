/** How an app tests that its users' work survives a bad network: read this first. */
import type { SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { MemoryStorage, SyncEngine } from '../index.js';
import { FaultStorage, faultTransport, TestPlatform } from './index.js';

test('a note written on a train arrives once, though the first answer is lost', async () => {
  const platform = new TestPlatform();
  const server = noteServer();
  const transport = faultTransport(server, { plan: [{ do: 'lose-answer' }], platform });
  await using engine = new SyncEngine({ clientId: 'phone', transport, platform, config: { enabled: true } });

  engine.records.of('note').create('note-1', { text: 'Buy milk' });
  await platform.advance(60_000);

  expect({ notes: server.notes, requests: transport.requests.length, status: engine.status.pending }).toEqual({
    notes: [{ text: 'Buy milk' }],
    requests: 2,
    status: 0,
  });
});

test('a note written while the disk is full is kept, and is durable when there is room again', async () => {
  const platform = new TestPlatform();
  const storage = new FaultStorage(new MemoryStorage());
  await using engine = new SyncEngine({
    clientId: 'phone',
    transport: noteServer(),
    platform,
    storage,
    config: { enabled: true },
  });
  storage.fail('commit', new Error('The disk is full.'));
  engine.records.of('note').create('note-1', { text: 'Buy milk' });
  await expect(engine.flush()).rejects.toThrow('The disk is full.');

  storage.heal();
  await engine.flush();

  const stored = await storage.load();
  expect(stored.entries.map(({ mutation }) => mutation.data)).toEqual([{ text: 'Buy milk' }]);
});

/** A server as small as it gets: applies every mutation once, and has no news. */
function noteServer() {
  const noteById = new Map<string, unknown>();
  return {
    get notes() {
      return [...noteById.values()];
    },
    async push({ mutations }: SyncPushRequest): Promise<SyncPushResponse> {
      for (const { id, data } of mutations) noteById.set(id, data);
      return {
        results: mutations.map(({ id }) => ({ mutationId: id, status: 'applied' as const, serverVersion: 1 })),
        serverChanges: [],
        checkpoint: 'place-1',
      };
    },
  };
}
