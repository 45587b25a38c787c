/** An ObjectStack application as its users run it: database, data engine, REST, sign-in and permissions, and sync over them. */
import { createHash, randomUUID } from 'node:crypto';
import { SyncProtocolPlugin } from '@objectql/protocol-sync';
import type { KernelContext, KernelHost, KernelPlugin } from '@objectql/sync-types/kernel';
import type { ObjectQL } from '@objectstack/objectql';
import { letGoOf } from '../../../protocol-sync/src/objectstack/ended-engine.fixture.js';

/** What is used of ObjectStack's packages, so that the same tests run against each version. */
export interface ObjectStack {
  readonly ObjectKernel: new (config: object) => KernelHost;
  readonly DriverPlugin: new (driver: object) => unknown;
  readonly SqliteWasmDriver: new (config: { readonly filename: string }) => object;
  readonly ObjectQLPlugin: new () => unknown;
  readonly HonoServerPlugin: new (config: { readonly port: number }) => unknown;
  readonly AuthPlugin: new (config: object) => unknown;
  readonly SecurityPlugin: new (config: object) => unknown;
  readonly createRestApiPlugin: () => unknown;
}

const TASK = {
  name: 'task',
  label: 'Task',
  sharingModel: 'public_read_write',
  sync: { enabled: true, strategy: 'last-write-wins' },
  fields: {
    title: { type: 'text', label: 'Title', required: true },
    status: { type: 'text', label: 'Status', defaultValue: 'new' },
    budget: { type: 'number', label: 'Budget' },
    salary: { type: 'number', label: 'Salary' },
  },
};

const NOTE = {
  name: 'note',
  label: 'Note',
  sharingModel: 'public_read_write',
  fields: { text: { type: 'text', label: 'Text' } },
};

const MEMO = {
  name: 'memo',
  label: 'Memo',
  sharingModel: 'public_read_write',
  sync: { enabled: true, strategy: 'manual' },
  fields: { text: { type: 'text', label: 'Text' } },
};

const DEAL = {
  name: 'deal',
  label: 'Deal',
  sharingModel: 'public_read_write',
  sync: { enabled: true },
  fields: { title: { type: 'text', label: 'Title' }, amount: { type: 'number', label: 'Amount' } },
};

/** What a permission set says of an object with which its holders may do anything. */
export const EVERYTHING = { allowRead: true, allowCreate: true, allowEdit: true, allowDelete: true };

/** Members may do everything with memos, and with tasks but change the budget and see the salary; nothing with deals. */
const MEMBER = {
  name: 'member',
  label: 'Member',
  objects: { task: EVERYTHING, memo: EVERYTHING },
  fields: { 'task.budget': { readable: true, editable: false }, 'task.salary': { readable: false, editable: false } },
};

/** By user, the teams that rules about rows find as `current_user.teams`. */
const teamsByUser = new Map<unknown, readonly string[]>();
/** In how many questions for teams one is not answered. */
let teamsFailIn = 0;
const membership = {
  keys: ['teams'],
  async resolve({ userId }: { readonly userId: unknown }) {
    teamsFailIn -= 1;
    if (teamsFailIn === 0) throw new Error('The teams cannot be read now.');
    return { teams: teamsByUser.get(userId) ?? [] };
  },
};

const app: KernelPlugin = {
  name: 'app',
  version: '1.0.0',
  dependencies: ['com.objectstack.engine.objectql'],
  init(context: KernelContext) {
    context.registerService('rls-membership-resolver', membership);
    const manifest = {
      id: 'app.tasks',
      name: 'tasks',
      version: '1.0.0',
      type: 'app',
      objects: [TASK, NOTE, MEMO, DEAL],
      permissions: [MEMBER],
    };
    context.getService<{ register(manifest: object): void }>('manifest').register(manifest);
  },
};

/** Sync on the application's own HTTP server. */
const syncServed = () => new SyncProtocolPlugin({ endpoint: { enabled: true, path: '/api/sync', realtime: true } });

/** As nobody in particular: no permissions are asked. */
export const SYSTEM = { context: { isSystem: true } } as const;
const PASSWORD = 'correct horse battery staple';

/** A running application. */
export class Platform implements AsyncDisposable {
  readonly sync: SyncProtocolPlugin;
  readonly url: string;
  readonly engine: ObjectQL;
  readonly #kernel: KernelHost;

  private constructor(kernel: KernelHost, sync: SyncProtocolPlugin) {
    this.#kernel = kernel;
    this.sync = sync;
    this.engine = kernel.getService<ObjectQL>('objectql');
    this.url = `http://localhost:${kernel.getService<{ getPort(): number }>('http.server').getPort()}`;
  }

  static async start(objectStack: ObjectStack, sync = syncServed()): Promise<Platform> {
    const { ObjectKernel, DriverPlugin, SqliteWasmDriver, ObjectQLPlugin, AuthPlugin } = objectStack;
    const { SecurityPlugin, HonoServerPlugin, createRestApiPlugin } = objectStack;
    const secret = 'Z8u2hQw9c1vT5nKx0rLpYb7dEfGjMs4A';
    const plugins = [
      new DriverPlugin(new SqliteWasmDriver({ filename: ':memory:' })),
      new ObjectQLPlugin(),
      app,
      new AuthPlugin({ secret, baseUrl: 'http://localhost', manifestDatasource: 'default', plugins: { admin: true } }),
      new SecurityPlugin({ fallbackPermissionSet: 'member' }),
      new HonoServerPlugin({ port: 0 }),
      createRestApiPlugin(),
      sync,
    ];
    const kernel = new ObjectKernel({ gracefulShutdown: false, logger: { level: 'silent' } });
    // A cast: ObjectStack's plugins have more of the same contract than is used here.
    for (const plugin of plugins) await kernel.use(plugin as KernelPlugin);
    await kernel.bootstrap();
    return new Platform(kernel, sync);
  }

  /** Signs up the first user, who administers the application; answers their bearer token. */
  async signUpAdministrator(): Promise<string> {
    return tokenOf(
      await this.#post('auth/sign-up/email', { email: 'admin@example.com', password: PASSWORD, name: 'Admin' }),
    );
  }

  /** Creates a member and signs them in; answers their bearer token. */
  async addMember(name: string, administrator: string, { mustChangePassword = false } = {}): Promise<string> {
    const email = `${name}@example.com`;
    const user = { email, password: PASSWORD, name, role: 'user', mustChangePassword };
    await this.#post('auth/admin/create-user', user, administrator);
    return tokenOf(await this.#post('auth/sign-in/email', { email, password: PASSWORD }));
  }

  /** Gives a member an API key; answers it. */
  async addApiKey(name: string, { revoked = false } = {}): Promise<string> {
    const key = `osk_${randomUUID()}`;
    // What the platform keeps of a key: its digest.
    const digest = createHash('sha256').update(key).digest('hex');
    await this.engine.insert(
      'sys_api_key',
      { name: 'A robot', key: digest, user_id: await this.#userId(name), revoked },
      SYSTEM,
    );
    return key;
  }

  /** Puts a member into these teams, and no others. */
  async setTeams(name: string, teams: readonly string[]): Promise<void> {
    teamsByUser.set(await this.#userId(name), teams);
  }

  /** Leaves the n-th question for teams from now on without an answer, and no other. */
  failTeamsIn(questions: number): void {
    teamsFailIn = questions;
  }

  /** Gives a member a permission set of their own, to be changed by the answered function. */
  async addPermissionSet(name: string, administrator: string, contents: object) {
    const set = { name: `of_${name}`, label: 'Rights', ...contents };
    const { answer } = await this.rest(administrator, ['POST', 'data/sys_permission_set'], set);
    const grant = { user_id: await this.#userId(name), permission_set_id: answer?.id };
    await this.rest(administrator, ['POST', 'data/sys_user_permission_set'], grant);
    return (change: object) => this.rest(administrator, ['PATCH', `data/sys_permission_set/${answer?.id}`], change);
  }

  /** Calls the REST interface as somebody; answers the status and the body. */
  async rest(token: string, [method, path]: readonly [string, string], body?: object) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${this.url}/api/v1/${path}`, {
      method,
      headers,
      body: body ? JSON.stringify(body) : null,
    });
    // The tests say what they expect of it.
    const answer = JSON.parse((await response.text()) || 'null') as RestAnswer | null;
    return { status: response.status, answer };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#kernel.shutdown();
    letGoOf(this.engine);
  }

  async #userId(name: string): Promise<string> {
    return (await this.engine.findOne('sys_user', { where: { email: `${name}@example.com` } }, SYSTEM)).id;
  }

  async #post(path: string, body: object, token?: string): Promise<Response> {
    const headers = { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) };
    const response = await fetch(`${this.url}/api/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response;
  }
}

export interface RestAnswer {
  readonly id?: string;
  readonly record?: Readonly<Record<string, unknown>>;
  readonly records?: readonly (Readonly<Record<string, unknown>> & { readonly id: string })[];
}

function tokenOf(response: Response): string {
  return response.headers.get('set-auth-token') ?? '';
}
