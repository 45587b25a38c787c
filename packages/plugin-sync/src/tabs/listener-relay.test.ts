import { expect, test } from 'vitest';
import { Listeners } from '../listeners/listeners.js';
import type { SyncEventListener } from '../listeners/sync-listener.js';
import { TestPlatform } from '../platform/test-platform.js';
import { sampleConflict, sampleMutation } from '../storage/contract/storage-samples.js';
import { relay, tellListeners } from './listener-relay.js';

test('has the listeners of another tab hear what those of the leader hear, all but server changes', () => {
  const heard: unknown[] = [];
  const others = new Listeners(new TestPlatform(), () => {});
  const listener: Required<SyncEventListener> = {
    onSyncStart: () => heard.push('start'),
    onSyncComplete: (answer) => heard.push(answer),
    onSyncError: ({ message }) => heard.push(message),
    onConflict: (conflicts) => heard.push(conflicts),
    onServerChanges: (changes) => heard.push(changes),
    onDropped: (dropped) => heard.push(dropped),
  };
  others.add(listener);
  const leader = new Listeners(new TestPlatform(), () => {});
  leader.add(relay((event) => tellListeners(others, structuredClone(event))));
  const answer = { results: [], serverChanges: [], checkpoint: 'c', hasMore: false };
  const { conflict } = sampleConflict('m1');
  const dropped = { mutation: sampleMutation(), droppedFields: ['title'] };
  leader.tell('onSyncStart', undefined);
  leader.tell('onConflict', [conflict]);
  leader.tell('onDropped', [dropped]);
  void leader.serverChanges([]);
  leader.tell('onSyncComplete', answer);
  leader.report(new Error('lost'));
  expect(heard).toEqual(['start', [conflict], [dropped], answer, 'lost']);
});
