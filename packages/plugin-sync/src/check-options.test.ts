import { expect, test } from 'vitest';
import { MemoryStorage, SyncEngine, SyncPlugin } from './index.js';
import { httpTransport } from './transport/http-transport.js';

const clientId = 'phone';
const transport = httpTransport({ url: 'http://localhost/api/sync' });

// As JavaScript passes them: the compiler lets none of these through.
test.each([
  ['transport', undefined, 'httpTransport({ url })'],
  ['transport', 'https://api.example.com/api/sync', 'httpTransport({ url })'],
  ['storage', 'indexeddb', 'a ClientStorage'],
  ['storage', MemoryStorage, 'a ClientStorage'],
  ['tabs', true, 'sharedTabs()'],
  ['live', true, 'liveUpdates()'],
  ['onConflict', 'manual', 'a function'],
  ['listeners', { onSyncStart() {} }, 'a list'],
])('refuses a client whose %s is %j, and says what to pass', (option, value, expected) => {
  const options = { clientId, transport, [option]: value } as never;
  const problem = `${option} must be ${expected}.`;
  expect(() => new SyncPlugin(options)).toThrow(problem);
  expect(() => new SyncEngine(Object.assign({ config: { enabled: true } }, options))).toThrow(problem);
});

test('refuses objects that are listed, and says how to write them', () => {
  const options = { clientId, transport, objects: ['task'] } as never;
  expect(() => new SyncPlugin(options)).toThrow('objects must be { task: { enabled: true } }.');
});

test('refuses more objects than a request may name, and takes any number that it need not name', async () => {
  const objects = Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`object_${n}`, { enabled: true }]));
  expect(() => new SyncPlugin({ clientId, transport, objects })).toThrow(
    'objects: at most 1000 may differ from defaultConfig in whether they are pulled.',
  );
  const { object_0: _, ...fewer } = objects;
  await using first = new SyncPlugin({ clientId, transport, objects: fewer });
  await using other = new SyncPlugin({ clientId, transport, objects, defaultConfig: { enabled: true } });
  expect([first, other].map(({ client }) => client.configs.wanted.objects?.length)).toEqual([1000, undefined]);
});

test('takes for left out what is undefined or null', async () => {
  const none = { tabs: undefined, listeners: undefined, storage: null, live: null, onConflict: null } as object;
  await using plugin = new SyncPlugin({ clientId, transport, ...none });
  expect(plugin.client.status).toMatchObject({ state: 'idle', lastError: null });
});

test('refuses a client without a clientId, and a transport without a url', () => {
  expect(() => new SyncPlugin({ transport } as never)).toThrow('clientId is missing; it must be a text');
  for (const url of [undefined, new URL('http://localhost/api/sync')]) {
    expect(() => httpTransport({ url } as never)).toThrow('url must be a text.');
  }
});
