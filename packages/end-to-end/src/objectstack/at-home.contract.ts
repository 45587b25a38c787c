/** What holds of sync in an ObjectStack application, for every version of ObjectStack it is compatible with. */
import { httpTransport, SyncPlugin, type SyncTransport, systemPlatform } from '@objectql/plugin-sync';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { EVERYTHING, type ObjectStack, Platform, SYSTEM } from './platform.js';

/** Row-level security, as a permission set keeps it: of deals, those alone. */
const rowsWhere = (using: string) => JSON.stringify([{ name: 'rows', object: 'deal', operation: 'all', using }]);

export function describeAtHome(version: string, load: () => Promise<ObjectStack>): void {
  describe(`in ObjectStack ${version}`, () => {
    let platform: Platform;
    let administrator: string;
    let ada: string;
    let bob: string;
    let expired: string;

    beforeAll(async () => {
      platform = await Platform.start(await load());
      administrator = await platform.signUpAdministrator();
      ada = await platform.addMember('ada', administrator);
      bob = await platform.addMember('bob', administrator);
      expired = await platform.addMember('eve', administrator, { mustChangePassword: true });
      const mindYourWords = ({ input }: { readonly input: Record<string, unknown> }) => {
        const { title } = input.data as { readonly title?: string };
        if (title === 'darn') throw Object.assign(new Error('Mind your words.'), { status: 422 });
      };
      for (const event of ['beforeInsert', 'beforeUpdate']) {
        platform.engine.registerHook(event, mindYourWords, { object: 'task' });
      }
    });
    afterAll(() => platform?.[Symbol.asyncDispose]());

    const pull = (headers: Record<string, string>) =>
      fetch(`${platform.url}/api/sync/pull`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ clientId: 'x', lastCheckpoint: null }),
      });

    it('I4 ends with equal replicas and every refusal explained, whoever wrote and however', async () => {
      const phone = new Device(platform, ada);
      const laptop = new Device(platform, bob);
      for (const device of [phone, laptop]) onTestFinished(() => device.sync.close());
      const task = (id: string) => `data/task/${id}`;
      const shared = await platform.rest(ada, ['POST', 'data/task'], { title: 'Shared', status: 'open' });
      const sharedId = shared.answer?.id ?? '';
      const adas = await platform.rest(ada, ['POST', 'data/task'], { title: 'To be deleted by REST' });
      const bobs = await platform.rest(bob, ['POST', 'data/task'], { title: 'To be deleted offline' });
      await platform.engine.insert('task', { id: 'engine', title: 'By a job', salary: 1000 }, SYSTEM);
      await platform.engine.insert('task', { id: 'gone', title: 'To be deleted by a job' }, SYSTEM);
      await phone.sync.syncAll();
      await laptop.sync.syncAll();

      phone.isOffline = true;
      laptop.isOffline = true;
      phone.tasks.create('from-phone', { title: 'Written offline' });
      await phone.tasks.update('from-phone', { status: 'half done' });
      await phone.tasks.update(sharedId, { title: 'Shared by Ada' });
      phone.tasks.create('rude', { title: 'darn' });
      await phone.tasks.update('engine', { budget: 5 });
      await laptop.tasks.update(sharedId, { status: 'done' });
      laptop.tasks.create('from-laptop', { title: 'Also offline' });
      laptop.tasks.create('untitled', { status: 'new' });
      await laptop.tasks.delete(bobs.answer?.id ?? '');
      await laptop.tasks.delete('engine');
      laptop.sync.getEngine('note').records.create('n1', { text: 'not synced' });
      await platform.rest(ada, ['DELETE', task(adas.answer?.id ?? '')]);
      await platform.rest(ada, ['PATCH', task(sharedId)], { status: 'in review' });
      await platform.engine.delete('task', { where: { id: 'gone' }, ...SYSTEM });
      await platform.engine.insert('task', { id: 'late', title: 'By a job, late', salary: 1 }, SYSTEM);

      // Its edit was made a minute before the write by REST, however long a message takes here.
      laptop.clockAheadMs = 60_000;
      phone.isOffline = false;
      laptop.isOffline = false;
      for (const device of [phone, laptop, phone]) await device.sync.syncAll();

      const { answer } = await platform.rest(ada, ['GET', 'data/task']);
      const stored = Object.fromEntries((answer?.records ?? []).map(({ id, ...data }) => [id, data]));
      expect(Object.keys(stored).toSorted()).toEqual(
        [sharedId, 'engine', 'from-laptop', 'from-phone', 'late'].toSorted(),
      );
      expect(stored[sharedId]).toMatchObject({ title: 'Shared by Ada', status: 'in review' });
      expect(stored.late).not.toHaveProperty('salary');
      expect([await phone.replica(), await laptop.replica()]).toEqual([stored, stored]);
      expect([phone.refusals(), laptop.refusals()]).toEqual([
        [
          ['rude', 'VALIDATION', 'Mind your words.'],
          ['engine', 'FORBIDDEN', 'You may not change budget.'],
        ],
        [
          ['untitled', 'VALIDATION', 'title: Title is required'],
          ['engine', 'FORBIDDEN', 'You may not make this change.'],
          ['n1', 'UNKNOWN_OBJECT', 'note takes no part in sync here.'],
        ],
      ]);
    });

    it('I1 makes a deleted record again for a user who edited it and may not make it for its owner', async () => {
      const laptop = new Device(platform, bob);
      onTestFinished(() => laptop.sync.close());
      const adas = await platform.rest(ada, ['POST', 'data/memo'], { text: 'Written by Ada' });
      const id = adas.answer?.id ?? '';
      await laptop.sync.syncAll();
      const memos = laptop.sync.getEngine('memo').records;
      const edit = await memos.update(id, { text: 'Edited by Bob' });
      await platform.rest(ada, ['DELETE', `data/memo/${id}`]);
      await laptop.sync.syncAll();
      await laptop.sync.client.conflicts.resolve(edit.id, 'mine');
      await laptop.sync.syncAll();
      const [before, after] = [adas.answer?.record, await platform.engine.findOne('memo', { where: { id } }, SYSTEM)];
      expect(laptop.refusals()).toEqual([]);
      expect(after).toMatchObject({ text: 'Edited by Bob' });
      expect(after.owner_id).not.toBe(before?.owner_id);
    });

    it('I4 I12 leaves on a device what its user may read now, when a permission set says something else, or they change teams', async () => {
      const object_permissions = JSON.stringify({ deal: EVERYTHING });
      const change = await platform.addPermissionSet('ada', administrator, { object_permissions });
      await platform.engine.insert('deal', { id: 'ours', title: 'Ours', amount: 5 }, SYSTEM);
      const phone = new Device(platform, ada);
      onTestFinished(() => phone.sync.close());
      const deals = phone.sync.getEngine('deal').records;
      const seen = async (contents: object) => {
        const { status } = await change(contents);
        await phone.sync.syncAll();
        return [status, (await deals.list()).map(({ recordId, data }) => [recordId, data.title, data.amount])];
      };
      const atFirst = await seen({ label: 'Sales' });
      const hidden = await seen({ field_permissions: JSON.stringify({ 'deal.amount': { readable: false } }) });
      const shown = await seen({ field_permissions: '{}' });
      phone.isOffline = true;
      await deals.update('ours', { title: 'Mine' });
      deals.create('new', { title: 'New' });
      phone.isOffline = false;
      const taken = await seen({ object_permissions: '{}' });
      await platform.engine.insert('deal', { id: 'late', title: 'Late', amount: 7 }, SYSTEM);
      await phone.sync.syncAll();
      const given = await seen({ object_permissions });
      const ruled = await seen({
        row_level_security: rowsWhere("title == 'Late'"),
      });
      const row_level_security = rowsWhere('title in current_user.teams');
      await platform.setTeams('ada', ['Ours']);
      const inTeam = await seen({ row_level_security });
      await platform.setTeams('ada', ['Late']);
      const inAnother = await seen({});
      const ours = ['ours', 'Ours', 5];
      const late = ['late', 'Late', 7];
      expect({ atFirst, hidden, shown, taken, given, ruled, inTeam, inAnother, refusals: phone.refusals() }).toEqual({
        atFirst: [200, [ours]],
        hidden: [200, [['ours', 'Ours', undefined]]],
        shown: [200, [ours]],
        taken: [200, []],
        given: [200, [ours, late]],
        ruled: [200, [late]],
        inTeam: [200, [ours]],
        inAnother: [200, [late]],
        refusals: [
          ['ours', 'NOT_FOUND', 'There is no such deal to update. Create it first.'],
          ['new', 'FORBIDDEN', 'You may not make this change.'],
        ],
      });
    });

    it('I4 I12 leaves on a device what rules about rows show its user by the email they have now', async () => {
      const [before, after] = ['cy@example.com', 'cyrus@example.com'];
      const cy = await platform.addMember('cy', administrator);
      await platform.addPermissionSet('cy', administrator, {
        object_permissions: JSON.stringify({ deal: { allowRead: true } }),
        row_level_security: rowsWhere('title == current_user.email'),
      });
      for (const title of [before, after]) await platform.engine.insert('deal', { id: title, title }, SYSTEM);
      const phone = new Device(platform, cy);
      onTestFinished(() => phone.sync.close());
      const seen = async () => {
        await phone.sync.syncAll();
        return (await phone.sync.getEngine('deal').records.list()).map(({ recordId }) => recordId);
      };
      const atFirst = await seen();
      const user = await platform.engine.findOne('sys_user', { where: { email: before } }, SYSTEM);
      await platform.engine.update('sys_user', { id: user.id, email: after }, SYSTEM);
      expect([atFirst, await seen()]).toEqual([[before], [after]]);
    });

    it('I4 takes no record from a device because the teams of its user could not be read for a moment', async () => {
      const dan = await platform.addMember('dan', administrator);
      await platform.addPermissionSet('dan', administrator, {
        object_permissions: JSON.stringify({ deal: { allowRead: true } }),
        row_level_security: rowsWhere('title in current_user.teams'),
      });
      await platform.setTeams('dan', ['Dans']);
      await platform.engine.insert('deal', { id: 'dans', title: 'Dans', amount: 0 }, SYSTEM);
      const phone = new Device(platform, dan);
      onTestFinished(() => phone.sync.close());
      await phone.sync.syncAll();
      const seen: unknown[] = [];
      for (const question of [1, 2, 3, 4]) {
        await platform.engine.update('deal', { id: 'dans', amount: question }, SYSTEM);
        platform.failTeamsIn(question);
        await phone.sync.syncAll();
        platform.failTeamsIn(0);
        await phone.sync.syncAll();
        seen.push((await phone.sync.getEngine('deal').records.list()).map(({ data }) => data.amount));
      }
      expect(seen).toEqual([[1], [2], [3], [4]]);
    });

    it('I12 serves who is signed in, and nobody else', async () => {
      const status = async (headers: Record<string, string>) => (await pull(headers)).status;
      const [valid, revoked] = [await platform.addApiKey('ada'), await platform.addApiKey('ada', { revoked: true })];
      const statuses = [
        await status({}),
        await status({ authorization: 'Bearer nonsense' }),
        await status({ authorization: `Bearer ${expired}` }),
        await status({ authorization: `Bearer ${ada}` }),
        await status({ 'x-api-key': 'osk_nonsense' }),
        await status({ 'x-api-key': revoked }),
        await status({ 'x-api-key': valid }),
      ];
      expect(statuses).toEqual([401, 401, 401, 200, 401, 401, 200]);
    });

    it('I13 lets devices come again, and signs nobody out, while the database is away', async () => {
      let isAway = true;
      platform.engine.registerMiddleware(async (_operation, next) => {
        if (isAway) throw new Error('The database is away.');
        await next();
      });
      const during = await pull({ authorization: `Bearer ${ada}` });
      isAway = false;
      const afterwards = await pull({ authorization: `Bearer ${ada}` });
      expect([during.status, afterwards.status]).toEqual([503, 200]);
    });

    it("I12 keeps sync's own state out of the REST interface", async () => {
      const { status } = await platform.rest(ada, ['GET', 'data/objectstack_sync_record']);
      expect(status).toBe(404);
    });

    it('tells devices of a write by REST over the stream', async () => {
      const stopped = new AbortController();
      onTestFinished(() => stopped.abort());
      const headers = { authorization: `Bearer ${ada}` };
      const response = await fetch(`${platform.url}/api/sync/stream`, { headers, signal: stopped.signal });
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      const pokes = async () => {
        for (let text = ''; ; ) {
          const { value = '', done } = (await reader?.read()) ?? { done: true };
          text += value;
          if (done || text.includes('event: poke')) return text;
        }
      };
      const first = await pokes();
      await platform.rest(ada, ['POST', 'data/task'], { title: 'Told at once' });
      expect([first, await pokes()]).toEqual([expect.stringContaining('poke'), expect.stringContaining('poke')]);
    });
  });
}

/** A signed-in user's device, with a network that can be taken away. */
class Device {
  isOffline = false;
  /** How far its clock was moved forward, in milliseconds. */
  clockAheadMs = 0;
  readonly sync: SyncPlugin;

  constructor({ url }: Platform, token: string) {
    const http = httpTransport({ url: `${url}/api/sync`, token });
    const transport: SyncTransport = {
      push: (...parameters) => (this.isOffline ? Promise.reject(new Error('offline')) : http.push(...parameters)),
    };
    const clock = { ...systemPlatform, now: () => systemPlatform.now() + this.clockAheadMs };
    this.sync = new SyncPlugin({ clientId: `device of ${token}`, transport, platform: clock });
  }

  get tasks() {
    return this.sync.getEngine('task').records;
  }

  /** What its user sees. */
  async replica() {
    return Object.fromEntries((await this.tasks.list()).map(({ recordId, data }) => [recordId, data]));
  }

  refusals() {
    const { deadLetters } = this.sync.client;
    return deadLetters.list().map(({ mutation, code, reason }) => [mutation.recordId, code, reason]);
  }
}
