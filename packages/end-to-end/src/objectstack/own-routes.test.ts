import { SyncProtocolPlugin } from '@objectql/protocol-sync';
import { expect, it, onTestFinished } from 'vitest';
import { objectStack } from './object-stack.js';
import { Platform } from './platform.js';

it.each([
  ['without options', undefined],
  ['that is told to mount nothing', { endpoint: { enabled: false } }],
])(
  "I12 serves by the application's own routes who is signed in, and nobody else, from a plugin %s",
  async (_, options) => {
    const sync = new SyncProtocolPlugin(options);
    const { endpoint } = sync;
    const platform = await Platform.start(objectStack, sync);
    onTestFinished(() => platform[Symbol.asyncDispose]());
    const ada = await platform.addMember('ada', await platform.signUpAdministrator());
    await platform.engine.insert('task', { id: 't', title: 'Hers', salary: 1000 }, { context: { isSystem: true } });
    const pull = async (headers: Record<string, string>) => {
      const body = JSON.stringify({ clientId: 'x', lastCheckpoint: null });
      const json = { 'content-type': 'application/json', ...headers };
      return endpoint(new Request('http://localhost/api/sync/pull', { method: 'POST', headers: json, body }));
    };
    const [anonymous, member] = [await pull({}), await pull({ authorization: `Bearer ${ada}` })];
    const told = await member.text();
    expect([anonymous.status, member.status, told.includes('Hers'), told.includes('salary')]).toEqual([
      ...[401, 200],
      ...[true, false],
    ]);
  },
  // ObjectStack takes seconds to load and to start on a busy machine.
  120_000,
);
