/** What a page holds in which the inspector's panel is tested: a client whose every part has something to show. */
import { expect, it } from 'vitest';
import { mountInspector } from '../../src/inspector/mount-inspector.js';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { MemoryStorage } from '../../src/storage/memory-storage.js';
import { SyncPlugin, type SyncPluginOptions } from '../../src/sync-plugin.js';
import { FaultStorage } from '../../src/testing/fault-storage.js';
import { appliesWith, change, isGone, ScriptedServer, type Step } from '../fixtures/scripted-server.js';

function mounted(script: readonly Step[], options: Pick<SyncPluginOptions, 'user' | 'storage'> = {}) {
  const platform = new TestPlatform();
  const server = new ScriptedServer(platform, script);
  const sync = new SyncPlugin({ clientId: 'page', ...options, transport: server, platform });
  const host = document.createElement('div');
  document.body.append(host);
  const mount = () => mountInspector(host, sync, { now: () => platform.now() });
  return { server, sync, tasks: sync.getEngine('task'), host, mount, unmount: mount() };
}

type Mounted = ReturnType<typeof mounted>;

function all(selector: string, { host }: Mounted): readonly Element[] {
  return [...(host.shadowRoot?.querySelectorAll(selector) ?? [])];
}

const textsOf = (elements: Iterable<Element>) => [...elements].map(({ textContent }) => textContent);

/** The rows of each part, by its heading; of a part without a table its text. */
function parts(panel: Mounted): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    all('section', panel).map((section) => {
      const rows = [...section.querySelectorAll('tr')].map((row) => textsOf(row.children));
      return [section.querySelector('h2')?.textContent, rows.length > 0 ? rows : section.lastChild?.textContent];
    }),
  );
}

/** Also what follows from a promise that is settled by now. */
const allIsShown = () => new Promise((resolve) => setTimeout(resolve));

async function press(text: string, panel: Mounted): Promise<void> {
  const button = all('button', panel).find(({ textContent }) => textContent === text);
  if (!(button instanceof HTMLElement)) throw new Error(`There is no button ${text}.`);
  button.click();
  await allIsShown();
}

/** A request that is not answered, and when it has come. */
function waiting() {
  let asked = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const waits: Step = async (_request, server) => {
    asked();
    await server.wait(1000);
    return {};
  };
  return { waits, isAsked };
}

/** One of four mutations is applied, the others are refused in each way there is; and a walk begins. */
const answersEach: Step = ({ mutations }) => ({
  serverTime: '2025-12-31T23:59:58.500Z',
  serverChanges: [change('theirs')],
  hasMore: true,
  reset: 'scope',
  results: mutations.map((clientMutation) => {
    const { id: mutationId, objectName, recordId } = clientMutation;
    const rejected = { mutationId, status: 'rejected' } as const;
    if (recordId === 'late') return { ...rejected, code: 'BUSY', reason: 'Later.', retryable: true };
    if (recordId === 'bad') return { ...rejected, code: 'VALIDATION', reason: 'No.' };
    if (recordId === 'good') return { mutationId, status: 'applied', serverVersion: 1 };
    const conflict = { objectName, recordId, clientMutation, serverRecord: {}, conflictingFields: ['title'] };
    const manual = { kind: 'create-create', serverVersion: 2, strategy: 'manual' } as const;
    return { mutationId, status: 'conflict', conflict: { ...conflict, ...manual } };
  }),
});

it('says of a client that has done nothing yet that there is nothing', async () => {
  const panel = mounted([]);
  const { logId } = panel.sync.client.log.meta;
  expect(parts(panel)).toEqual({
    Client: [
      ['state', 'idle, 0 pending'],
      ['last error', 'none'],
      ['live updates', 'off'],
      ['clock', 'not compared yet'],
      ['checkpoint', 'none yet'],
      ['client, log', `page, ${logId}`],
    ],
    Log: 'None.',
    Outcomes: 'None.',
    'Waiting for the user': 'None.',
    'Requests of this tab': 'None.',
    'Explain a record': '',
  });
  await panel.sync.close();
});

it('shows where each change stands, what waits, and what was asked and answered', async () => {
  const { waits, isAsked } = waiting();
  const panel = mounted([answersEach, isGone, waits], { user: 'ada' });
  const { sync, tasks } = panel;
  for (const id of ['good', 'late', 'bad', 'both']) tasks.records.create(id, { title: id });
  await tasks.sync();
  const syncing = tasks.sync();
  await isAsked;
  const { logId, walk } = sync.client.log.meta;
  const at = '00:00:00.000';
  expect(parts(panel)).toEqual({
    Client: [
      ['state', 'syncing, 1 pending'],
      ['last error', 'The server could not be reached.'],
      ['live updates', 'off'],
      ['clock', '1500 ms ahead of the server'],
      ['checkpoint', 'place-1'],
      ['walk', `${walk}: all records are being received anew`],
      ['client, log', `page, ${logId}`],
      ['user', 'ada'],
    ],
    Log: [
      ['#', 'record', 'change', 'progress'],
      ['2', 'task late', 'create title', 'stored, put off 1×'],
    ],
    Outcomes: [
      ['at', 'record', 'change', 'outcome'],
      [at, 'task both', 'create', 'conflict: create-create: title'],
      [at, 'task bad', 'create', 'rejected: VALIDATION: No.'],
      [at, 'task late', 'create', 'rejected: BUSY: Later.'],
      [at, 'task good', 'create', 'applied: version 1'],
    ],
    'Waiting for the user': [
      ['since', 'record', 'what', 'why'],
      [at, 'task both', 'conflict', 'create-create title'],
      [at, 'task bad', 'refused create', 'VALIDATION: No.'],
    ],
    'Requests of this tab': [
      ['#', 'at', 'request', 'took', 'answer'],
      ['3', at, 'push of 0', '…', 'under way'],
      ['2', at, 'push of 0', '0 ms', 'The server could not be reached.'],
      ['1', at, 'push of 4', '0 ms', '1 changes, more to come, reset: scope, up to place-1'],
    ],
    'Explain a record': '',
  });
  await sync.close();
  await syncing;
});

it('explains the record that is pressed or named, and follows what becomes of it', async () => {
  const panel = mounted([appliesWith({ serverChanges: [change('theirs')], serverTime: '2026-01-01T00:00:02.000Z' })]);
  const { sync, tasks } = panel;
  await tasks.sync();
  const update = await tasks.records.update('theirs', { title: '<b>mine</b>' });
  tasks.records.create('new', { title: 'N' });
  await tasks.flush();
  const explained = () => [textsOf(all('li', panel)), parts(panel)['Explain a record']];
  const inputs = () =>
    all('input', panel).map((input) => (input instanceof HTMLInputElement ? input.value : undefined));
  expect(parts(panel).Log).toContainEqual(['1', 'task theirs', 'update title', 'stored']);
  await press('task theirs', panel);
  expect(inputs()).toEqual(['task', 'theirs']);
  expect(explained()).toEqual([
    ['The server last told version 1.', 'On top of it lies update 1 of title, made here: stored, not sent yet.'],
    [
      ['field', 'shown', 'from', 'the server has'],
      ['title', '"<b>mine</b>"', `pending ${update.id}`, '"theirs"'],
    ],
  ]);
  await tasks.sync();
  await allIsShown();
  expect(explained()).toEqual([
    ['The server last told version 2.', 'Nothing of it is pending, and nothing waits for a decision.'],
    [
      ['field', 'shown', 'from', 'the server has'],
      ['title', '"<b>mine</b>"', 'server', ''],
    ],
  ]);
  expect(parts(panel).Client).toContainEqual(['clock', '2000 ms behind the server']);
  const [kept] = all('ul', panel);
  await tasks.sync();
  await allIsShown();
  expect(all('ul', panel)[0] === kept).toBe(true);

  for (const [index, text] of ['task', 'nowhere'].entries())
    Object.assign(all('input', panel)[index] ?? {}, { value: text });
  await press('Explain', panel);
  expect(explained()[0]).toEqual([
    'The server has told this device nothing of it.',
    'It is not shown: there is none.',
    'Nothing of it is pending, and nothing waits for a decision.',
  ]);
  await sync.close();
});

it('explains a record again that could not be read for a while', async () => {
  const storage = new FaultStorage(new MemoryStorage());
  const panel = mounted([], { storage });
  const { sync, tasks } = panel;
  tasks.records.create('a', { title: 'A' });
  await tasks.flush();
  await press('task a', panel);
  const before = parts(panel)['Explain a record'];
  storage.fail('getRecords', new Error('The disk is gone.'));
  await press('task a', panel);
  const meanwhile = parts(panel)['Explain a record'];
  storage.heal();
  await press('task a', panel);
  expect([meanwhile, parts(panel)['Explain a record']]).toEqual(['Error: The disk is gone.', before]);
  await sync.close();
});

it('leaves alone what did not change, and goes with all it has begun', async () => {
  const panel = mounted([]);
  const { sync, tasks, server, host, mount, unmount } = panel;
  tasks.records.create('a', { title: 'A' });
  await tasks.sync();
  expect(parts(panel)['Requests of this tab']).toContainEqual([
    '1',
    '00:00:00.000',
    'push of 1',
    '0 ms',
    '0 changes, up to place-1',
  ]);
  const outcomes = () => all('table', panel).find((table) => table.textContent?.includes('applied'));
  const before = outcomes();
  await tasks.records.update('a', { title: 'B' });
  expect([before instanceof Element, outcomes() === before]).toEqual([true, true]);
  unmount();
  expect([host.shadowRoot?.childNodes.length, sync.client.transport]).toEqual([0, server]);
  await tasks.sync();
  expect(host.shadowRoot?.childNodes.length).toBe(0);
  mount();
  expect(Object.keys(parts(panel)).length).toBe(6);
  await sync.close();
});

it('shows a checkpoint that moves while nothing else does', async () => {
  const { waits, isAsked } = waiting();
  const panel = mounted([appliesWith({ hasMore: true }), appliesWith({ hasMore: true }), waits]);
  const syncing = panel.tasks.sync();
  await isAsked;
  await allIsShown();
  expect(parts(panel).Client).toContainEqual(['checkpoint', 'place-2']);
  await panel.sync.close();
  await syncing;
});

it('shows what waits for the user as soon as it does, be it a conflict or a refusal', async () => {
  const panel = mounted([answersEach, appliesWith({}), answersEach]);
  const { sync, tasks } = panel;
  const waiting: unknown[] = [];
  for (const id of ['both', 'bad']) {
    tasks.records.create(id, { title: id });
    await tasks.sync();
    const [section] = all('section', panel).filter((part) => part.textContent?.startsWith('Waiting'));
    waiting.push(textsOf(section?.querySelectorAll('button') ?? []));
  }
  expect(waiting).toEqual([['task both'], ['task both', 'task bad']]);
  await sync.close();
});

it('can be worked by keyboard and read aloud', async () => {
  const panel = mounted([]);
  const { sync, tasks } = panel;
  tasks.records.create('a', { title: 'A' });
  await tasks.flush();
  const attributes = (selector: string) =>
    all(selector, panel).map((element) =>
      Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value])),
    );
  expect(attributes('input')).toEqual([
    { name: 'object', placeholder: 'task', required: '' },
    { name: 'id', required: '' },
  ]);
  expect(attributes('div').filter((one) => Object.keys(one).length > 0)).toEqual([
    { class: 'scroll', tabindex: '0' },
    { class: 'scroll', tabindex: '0' },
    { 'aria-live': 'polite' },
  ]);
  expect(attributes('th')).toEqual(Array.from({ length: 4 }, () => ({ scope: 'col' })));
  expect(attributes('td button')).toEqual([{ type: 'button' }]);
  await sync.close();
});
