/** What the engine deletes, clears or keeps along with a deleted record, by `deleteBehavior`. */
import type { MutationLogEntry, SyncPushResponse } from '@objectql/sync-types';
import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import { expect, it, onTestFinished } from 'vitest';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import { startKernel } from './kernel.fixture.js';

const system = { context: AS_SYSTEM } as const;
const text = { type: 'text', label: 'Text' };
const project = { type: 'lookup', label: 'Project', reference: 'project' };
const objectOf = (name: string, fields: object) => ({ name, label: name, sync: { enabled: true }, fields });
/** Projects, and what goes with its project, loses it, or holds it. */
const OBJECTS = [
  objectOf('project', { text }),
  objectOf('item', { text, project: { ...project, deleteBehavior: 'cascade' } }),
  objectOf('note', { text, project: { ...project, deleteBehavior: 'set_null' } }),
  objectOf('bill', { text, project: { ...project, deleteBehavior: 'restrict' } }),
];
const REMOVED = { objectName: 'project', recordId: 'p', operation: 'delete' } as const;
const EDITED = { objectName: 'item', recordId: 'i', operation: 'update', data: { text: 'mine' } } as const;

/** The project `p` with its item `i` and its note `n`, all at version 1; `push` answers how each mutation ended. */
async function start() {
  const { handler, ...plugin } = await started();
  for (const [objectName, id] of [
    ['project', 'p'],
    ['item', 'i'],
    ['note', 'n'],
  ] as const)
    await plugin.engine.insert(objectName, { id, text: id, ...(id === 'p' ? {} : { project: 'p' }) }, system);
  let sequence = 0;
  const push = async (...mutations: readonly Partial<MutationLogEntry>[]) => {
    const complete = mutations.map((mutation) => {
      sequence += 1;
      const timestamp = '2026-01-01T00:00:00.000Z';
      return { id: `m${sequence}`, timestamp, clientId: 'phone', sequence, baseVersion: 1, ...mutation };
    });
    const request = { clientId: 'phone', logId: 'log', protocol: 2, lastCheckpoint: null, mutations: complete };
    return (await handler.handlePush(request)).results.map(told);
  };
  const feed = async () => {
    const { serverChanges } = await handler.handlePull({ clientId: 'tablet', lastCheckpoint: null });
    const all = serverChanges.map(({ recordId, data, serverVersion }) => [
      recordId,
      data ? `${data.text} of ${data.project}` : 'deleted',
      serverVersion,
    ]);
    return Object.fromEntries(all.map(([id, ...rest]) => [id, rest.join(' v')]));
  };
  return { ...plugin, push, feed };
}

async function started() {
  const sync = new SyncProtocolPlugin();
  const { stop, engine } = await startKernel({ objects: OBJECTS, plugins: [sync] });
  onTestFinished(stop);
  return { engine, handler: sync.handler };
}

function told(result: SyncPushResponse['results'][number]) {
  if (result.status === 'applied') return `applied ${result.serverVersion}`;
  return result.status === 'conflict' ? `conflict ${result.conflict.kind}` : `rejected ${result.code}`;
}

it('I4 brings to every device what goes with a record, once, whether its device deleted that too or not', async () => {
  const { push, feed } = await start();
  const deleted = { ...EDITED, operation: 'delete', data: undefined } as const;
  expect(await push(deleted, REMOVED)).toEqual(['applied 2', 'applied 2']);
  expect(await feed()).toEqual({ p: 'deleted v2', i: 'deleted v2', n: 'n of null v2' });
});

it('I5 gives a record two versions that a push edits and then deletes along with another', async () => {
  const { push, feed } = await start();
  expect(await push(EDITED, REMOVED)).toEqual(['applied 2', 'applied 2']);
  expect(await feed()).toEqual({ p: 'deleted v2', i: 'deleted v3', n: 'n of null v2' });
});

it('meets an edit as a conflict that follows, in one push, the delete that took its record along', async () => {
  const { push, feed } = await start();
  expect(await push(REMOVED, EDITED)).toEqual(['applied 2', 'rejected BUSY']);
  expect(await push({ ...EDITED, id: 'm2', sequence: 2 })).toEqual(['conflict update-delete']);
  expect(await feed()).toEqual({ p: 'deleted v2', i: 'deleted v2', n: 'n of null v2' });
});

it('I8 takes nothing along with a record whose delete is refused', async () => {
  const { engine, push, feed } = await start();
  await engine.insert('bill', { id: 'b', text: 'b', project: 'p' }, system);
  expect(await push(REMOVED, EDITED)).toEqual(['rejected VALIDATION', 'applied 2']);
  expect(await feed()).toEqual({ p: 'p of undefined v1', i: 'mine of p v2', n: 'n of p v1', b: 'b of p v1' });
});
