import { AS_SYSTEM, type EngineContext, type KernelContext, type KernelPlugin } from '@objectql/sync-types/kernel';
import { expect, it, onTestFinished } from 'vitest';
import { post } from '../http/requests.fixture.js';
import type { Principal } from '../principal.js';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import { startKernel } from './kernel.fixture.js';

const TASK = {
  name: 'task',
  label: 'Task',
  sync: { enabled: true },
  fields: { title: { type: 'text', label: 'Title' } },
};

it.each([
  ['isolated', undefined],
  ['single', 'left'],
])(
  'I12 asks the platform, whose tenancy is %s, in which organization a session still is',
  async (posture, tenantId) => {
    const session = { user: { id: 'ada' }, session: { userId: 'ada', activeOrganizationId: 'left' } };
    const platform: KernelPlugin = {
      name: 'platform',
      version: '1.0.0',
      init(context: KernelContext) {
        context.registerService('auth', { api: { getSession: async () => session } });
        context.registerService('tenancy', { posture });
      },
    };
    const organizations: unknown[] = [];
    const scope = (principal: Principal | null) => {
      // A cast, because a context is the platform's own.
      organizations.push((principal?.context as EngineContext | undefined)?.tenantId);
      return '';
    };
    const sync = new SyncProtocolPlugin({ authorize: { scope } });
    const { stop } = await startKernel({ objects: [TASK], plugins: [platform, sync] });
    onTestFinished(stop);
    const pull = post({ clientId: 'phone', lastCheckpoint: null });
    await sync.endpoint(new Request('http://localhost/api/sync/pull', pull));
    expect(organizations[0]).toBe(tenantId);
  },
);

it("I13 asks nothing of a service that has a platform's name and is another", async () => {
  const scanner: KernelPlugin = {
    name: 'scanner',
    version: '1.0.0',
    init(context: KernelContext) {
      context.registerService('security', { scan: async () => [] });
    },
  };
  const sync = new SyncProtocolPlugin();
  const { engine, stop } = await startKernel({ objects: [TASK], plugins: [scanner, sync] });
  onTestFinished(stop);
  await engine.insert('task', { id: 't1', title: 'Buy milk' }, { context: AS_SYSTEM });
  const pull = { clientId: 'phone', lastCheckpoint: null };
  const { serverChanges } = await sync.handler.handlePull(pull, { principal: { id: 'ada' } });
  expect(serverChanges).toMatchObject([{ recordId: 't1', data: { title: 'Buy milk' } }]);
});
