import { describe, expect, it } from 'vitest';
import { create, DAY_MS, setUp } from '../sync-handler.fixture.js';

/** A device that only sends: `pull: false`. */
describe('a client that asks for no changes', () => {
  it('gets none, and is not told to come for more', async () => {
    const { handler, push } = setUp();
    await handler.recordChange({ objectName: 'task', recordId: 'other', operation: 'create', data: {} });
    let lastCheckpoint: string | null = null;
    for (const recordId of ['first', 'second']) {
      const answer = await push({ pull: false, lastCheckpoint, mutations: [create({ title: 'x' }, { recordId })] });
      expect(answer).toMatchObject({ results: [{ status: 'applied' }], serverChanges: [], hasMore: false });
      lastCheckpoint = answer.checkpoint;
    }
  });

  it('I6 receives all it had not, once it asks for changes', async () => {
    const { handler, push } = setUp();
    const change = (recordId: string) =>
      handler.recordChange({ objectName: 'task', recordId, operation: 'create', data: {} });
    await change('seen');
    const walked = await push({});
    await change('missed');
    const sent = await push({ pull: false, lastCheckpoint: walked.checkpoint });
    const started = await push({ pull: false, lastCheckpoint: null });
    const behind = async (lastCheckpoint: string) => {
      const { serverChanges, reset } = await push({ lastCheckpoint });
      return [serverChanges.map(({ recordId }) => recordId), reset];
    };
    expect(await behind(sent.checkpoint)).toEqual([['missed'], undefined]);
    expect(await behind(started.checkpoint)).toEqual([['seen', 'missed'], undefined]);
  });

  it('I9 is not reset by what was dropped from a feed that it does not read', async () => {
    const { handler, push, advance } = setUp();
    const change = (operation: 'create' | 'delete') =>
      handler.recordChange({ objectName: 'task', recordId: 'a', operation, data: {} });
    await change('create');
    const { checkpoint: lastCheckpoint } = await push({});
    await change('delete');
    advance(91 * DAY_MS);
    await handler.prune();
    expect(await push({ pull: false, lastCheckpoint })).not.toHaveProperty('reset');
    expect(await push({ lastCheckpoint })).toMatchObject({ reset: 'expired' });
  });

  it('I6 is told of a restored server which lacks what it wrote, though it had scanned nothing of it', async () => {
    const [server, copy] = [setUp(), setUp()];
    for (const { handler } of [server, copy]) {
      await handler.recordChange({ objectName: 'task', recordId: 'a', operation: 'create', data: {} });
    }
    const resets: unknown[] = [];
    for (const lastCheckpoint of [null, (await copy.push({})).checkpoint]) {
      const mutations = [create({}, { recordId: resets.length })];
      const { checkpoint } = await server.push({ pull: false, lastCheckpoint, mutations });
      resets.push((await copy.push({ pull: false, lastCheckpoint: checkpoint })).reset);
    }
    expect(resets).toEqual(['epoch', 'epoch']);
  });

  it('is told that the server was restored, and so is who runs it', async () => {
    const { push, store, warnings } = setUp();
    const { checkpoint: lastCheckpoint } = await push({ mutations: [create({})] });
    await store.changeEpoch();
    expect(await push({ pull: false, lastCheckpoint })).toMatchObject({ reset: 'epoch', serverChanges: [] });
    expect(warnings).toMatchObject([{ code: 'CHECKPOINT_AHEAD' }]);
  });
});
