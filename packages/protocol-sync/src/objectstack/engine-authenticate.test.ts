import type { EngineContext, KernelContext, KernelPlugin } from '@objectql/sync-types/kernel';
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
  // ObjectStack takes seconds to load and to make its tables on a busy machine.
  60_000,
);
