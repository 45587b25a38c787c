/** What a page holds in which the React hooks are tested with a real React: components that note what they render. */
import { act, createElement, memo, StrictMode } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server.browser';
import { expect, it } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { useConflicts, useDeadLetters, useRecord, useRecords, useSyncStatus } from '../../src/react/hooks.js';
import type { LocalRecord } from '../../src/records/rebase.js';
import { SyncPlugin } from '../../src/sync-plugin.js';
import { applies, appliesWith, change, ScriptedServer, type Step } from '../fixtures/scripted-server.js';

// Tells React that `act` says when everything has been rendered.
Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

function client(...script: readonly Step[]) {
  const platform = new TestPlatform();
  const server = new ScriptedServer(platform, script);
  const sync = new SyncPlugin({ clientId: 'page', transport: server, platform });
  return { sync, tasks: sync.getEngine('task') };
}

interface ProbeProps {
  readonly useSeen: () => unknown;
  readonly seen: unknown[];
}

function Probe({ useSeen, seen }: ProbeProps) {
  seen.push(useSeen());
  return null;
}

/** Shows what a hook returns and notes it at each render. */
async function show<Seen>(useSeen: () => Seen) {
  const seen: Seen[] = [];
  const root = createRoot(document.createElement('div'));
  await act(async () => root.render(createElement(Probe, { useSeen, seen })));
  return { seen };
}

interface ClientProps {
  readonly sync: SyncPlugin;
}

const Row = memo(({ record, rendered }: { readonly record: LocalRecord; readonly rendered: unknown[] }) => {
  rendered.push(record.recordId);
  return null;
});

function List({ sync, rendered }: ClientProps & { readonly rendered: unknown[] }) {
  return useRecords(sync, 'task')?.map((record) => createElement(Row, { key: record.recordId, record, rendered }));
}

function Title({ sync, id }: ClientProps & { readonly id: string }) {
  return String(useRecord(sync, 'task', id)?.data.title);
}

function Summary({ sync }: ClientProps) {
  return `${useRecords(sync, 'task')?.length ?? 'loading'}, ${useSyncStatus(sync).pending} pending`;
}

function Overview({ sync, objectName }: ClientProps & { readonly objectName: string }) {
  return [
    useRecords(sync, objectName)?.length,
    useRecord(sync, objectName, 'a')?.data.title,
    `${useSyncStatus(sync).pending} pending`,
    useConflicts(sync, objectName).length,
    useDeadLetters(sync, objectName).length,
  ].join(', ');
}

/** Answers a delete with a refusal, and everything else with a conflict. */
const refuses: Step = (request) => ({
  results: request.mutations.map((mutation) =>
    mutation.operation === 'delete'
      ? { mutationId: mutation.id, status: 'rejected', code: 'FORBIDDEN', reason: 'Not yours.' }
      : {
          mutationId: mutation.id,
          status: 'conflict',
          conflict: {
            objectName: mutation.objectName,
            recordId: mutation.recordId,
            clientMutation: mutation,
            serverRecord: { title: 'theirs' },
            conflictingFields: ['title'],
            strategy: 'manual',
            serverVersion: 2,
          },
        },
  ),
});

it('renders records when they have been read, and again only when one changes', async () => {
  const { sync, tasks } = client();
  tasks.records.create('b', { title: 'B' });
  tasks.records.create('a', { title: 'A' });
  const { seen } = await show(() => useRecords(sync, 'task'));
  expect(seen.map((records) => records?.map(({ recordId }) => recordId))).toEqual([undefined, ['a', 'b']]);

  await act(() => tasks.sync());
  await act(() => tasks.sync());
  expect(seen.slice(2).map((records) => records?.map(({ isPending }) => isPending))).toEqual([[false, false]]);

  await act(() => tasks.records.update('b', { title: 'B2' }));
  expect(seen.slice(3).map((records) => records?.map(({ data }) => data.title))).toEqual([['A', 'B2']]);
  expect(seen[3]?.[0]).toBe(seen[2]?.[0]);
  await sync.close();
});

it('renders nothing when the server tells again what is known', async () => {
  const serverChanges = [change('a'), change('b')];
  const { sync, tasks } = client(
    appliesWith({ serverChanges }),
    appliesWith({ serverChanges }),
    // A walk of the whole feed reads every record anew.
    appliesWith({ serverChanges: [], reset: 'scope', hasMore: true }),
    appliesWith({ serverChanges }),
  );
  await tasks.sync();
  const { seen } = await show(() => useRecords(sync, 'task'));
  expect(seen.length).toBe(2);
  await act(() => tasks.sync());
  await act(() => tasks.sync());
  expect(seen.length).toBe(2);
  await sync.close();
});

it('spares the rows of records that did not change', async () => {
  const { sync, tasks } = client();
  for (const id of ['a', 'b', 'c']) tasks.records.create(id, { title: id });
  await tasks.sync();
  const rendered: unknown[] = [];
  const root = createRoot(document.createElement('div'));
  await act(async () => root.render(createElement(List, { sync, rendered })));
  expect(rendered).toEqual(['a', 'b', 'c']);
  await act(() => tasks.records.update('b', { title: 'B2' }));
  await act(() => tasks.records.delete('a'));
  expect(rendered).toEqual(['a', 'b', 'c', 'b']);
  await sync.close();
});

it('renders one record: unread, absent, created, deleted, and not when another changes', async () => {
  const { sync, tasks } = client();
  const { seen } = await show(() => useRecord(sync, 'task', 'a'));
  await act(async () => tasks.records.create('b', { title: 'B' }));
  await act(async () => tasks.records.create('a', { title: 'A' }));
  await act(() => tasks.records.delete('a'));
  expect(seen.map((record) => record?.data ?? record)).toEqual([undefined, null, { title: 'A' }, null]);
  await sync.close();
});

it('renders another record at once when it is asked for another', async () => {
  const { sync, tasks } = client();
  tasks.records.create('a', { title: 'A' });
  tasks.records.create('b', { title: 'B' });
  const container = document.createElement('div');
  const root = createRoot(container);
  await act(async () => root.render(createElement(Title, { sync, id: 'a' })));
  expect(container.textContent).toBe('A');
  await act(async () => root.render(createElement(Title, { sync, id: 'b' })));
  expect(container.textContent).toBe('B');
  await sync.close();
});

it('renders at once what another client has, or another object, when it is given another', async () => {
  const [ada, bob] = [client(refuses), client(refuses)];
  for (const [objectName, recordId] of [
    ['task', 'x'],
    ['note', 'x'],
    ['note', 'y'],
  ] as const) {
    const engine = bob.sync.getEngine(objectName);
    const mutation = { objectName, baseVersion: 1 };
    engine.recordMutation({ ...mutation, recordId, operation: 'update', data: { title: 'waits' } });
    engine.recordMutation({ ...mutation, recordId: `refused-${recordId}`, operation: 'delete' });
  }
  await act(() => bob.sync.syncAll());
  ada.tasks.records.create('a', { title: 'of ada' });
  for (const title of ['of bob', 'also of bob']) bob.tasks.records.create(title === 'of bob' ? 'a' : 'b', { title });
  bob.sync.getEngine('note').records.create('a', { title: 'a note' });
  const container = document.createElement('div');
  const root = createRoot(container);
  const shown: unknown[] = [];
  for (const [{ sync }, objectName] of [
    [ada, 'task'],
    [bob, 'task'],
    [bob, 'note'],
  ] as const) {
    await act(async () => root.render(createElement(Overview, { sync, objectName })));
    shown.push(container.textContent);
  }
  expect(shown.join('; ')).toBe('1, of ada, 1 pending, 0, 0; 3, of bob, 3 pending, 1, 1; 3, a note, 3 pending, 2, 2');
  for (const { sync } of [ada, bob]) await sync.close();
});

it('renders the status at most once for each time it becomes another one', async () => {
  const { sync, tasks } = client();
  let different = 0;
  sync.client.subscribeStatus(() => {
    different += 1;
  });
  const { seen } = await show(() => useSyncStatus(sync));
  await act(async () => tasks.records.create('a', {}));
  await act(() => tasks.sync());
  await act(() => tasks.sync());
  expect(seen.length).toBeLessThanOrEqual(different);
  expect(seen.slice(0, 2).map(({ state, pending }) => `${state} ${pending}`)).toEqual(['idle 0', 'waiting 1']);
  expect(seen.at(-1)).toMatchObject({ state: 'idle', pending: 0 });
  await sync.close();
});

it('renders conflicts and dead letters of one object, or of all', async () => {
  const { sync } = client(refuses);
  const all = await show(() => [useConflicts(sync).length, useDeadLetters(sync).length]);
  const ofTask = await show(() => [useConflicts(sync, 'task').length, useDeadLetters(sync, 'task').length]);
  const task = { objectName: 'task', recordId: 'a', baseVersion: 1 } as const;
  sync.getEngine('task').recordMutation({ ...task, operation: 'update', data: { title: 'mine' } });
  sync.getEngine('note').recordMutation({ ...task, objectName: 'note', operation: 'update', data: { title: 'mine' } });
  sync.getEngine('task').recordMutation({ ...task, recordId: 'b', operation: 'delete' });
  await act(() => sync.syncAll());
  expect(all.seen.at(-1)).toEqual([2, 1]);
  expect(ofTask.seen).toEqual([
    [0, 0],
    [1, 1],
  ]);
  const [parked] = sync.client.conflicts.of('note').list();
  await act(() => sync.client.conflicts.resolve(String(parked?.id), 'theirs'));
  expect(all.seen.at(-1)).toEqual([1, 1]);
  expect(ofTask.seen.length).toBe(2);
  await sync.close();
});

it('shows the present again after it was unmounted, and in strict mode', async () => {
  const { sync, tasks } = client();
  for (const [index, expected] of ['1, 1 pending', '2, 2 pending'].entries()) {
    tasks.records.create(`task-${index}`, {});
    const container = document.createElement('div');
    const root = createRoot(container);
    await act(async () => root.render(createElement(StrictMode, null, createElement(Summary, { sync }))));
    expect(container.textContent).toBe(expected);
    await act(async () => root.unmount());
  }
  await sync.close();
});

it('takes over what a server rendered, without a mismatch, and then shows what this device has', async () => {
  const { sync, tasks } = client(applies);
  tasks.records.create('a', {});
  await tasks.flush();
  const container = document.createElement('div');
  container.innerHTML = renderToString(createElement(Summary, { sync }));
  expect(container.textContent).toBe('loading, 0 pending');
  const mismatches: unknown[] = [];
  await act(async () => {
    hydrateRoot(container, createElement(Summary, { sync }), { onRecoverableError: (error) => mismatches.push(error) });
  });
  expect(container.textContent).toBe('1, 1 pending');
  expect(mismatches).toEqual([]);
  await sync.close();
});
