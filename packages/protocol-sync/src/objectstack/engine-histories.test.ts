/** Whatever an application, its hooks and devices write, and wherever the database fails, devices get what the engine has. */
import { type MutationLogEntry, recordKey, type SyncPushRequest, type SyncPushResponse } from '@objectql/sync-types';
import { AS_SYSTEM, UnderWay } from '@objectql/sync-types/kernel';
import type { ObjectQL } from '@objectstack/objectql';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import {
  type Draft,
  histories,
  NAMES,
  OBJECTS,
  registerHooks,
  rowOf,
  type Step,
  write,
} from './engine-histories.contract.js';
import { failingDriver } from './failing-driver.fixture.js';
import { startKernel } from './kernel.fixture.js';

/** 15 histories, which take a few seconds: `SYNC_TEST_HISTORIES=1000` for more. */
const HISTORIES = Number(process.env.SYNC_TEST_HISTORIES ?? 15);

it('I2 I4 I5 brings to devices what the engine has, and each mutation once, after any history', {
  timeout: 600_000 + HISTORIES * 10_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      await using app = await startApp();
      for (const turn of history) {
        app.arm(turn.fault);
        await Promise.all(turn.steps.map((step) => app.take(step)));
        app.arm(undefined);
        expect(await app.look()).toEqual(await app.stored());
      }
    }),
    { numRuns: HISTORIES },
  );
});

async function startApp() {
  const { driver, arm } = failingDriver();
  const sync = new SyncProtocolPlugin();
  const { stop, ...started } = await startKernel({ objects: OBJECTS, plugins: [sync], driver });
  // A cast: the service is this class, of which sync itself uses less.
  const engine = started.engine as unknown as ObjectQL;
  const loose = new UnderWay();
  const doNotAwait = (work: Promise<unknown>) => void loose.add(work).catch(() => {});
  registerHooks(engine, doNotAwait);
  const device = deviceOf(sync);
  const writeTogether = async (drafts: readonly Draft[], isUndone: boolean) => {
    for (const draft of drafts) {
      // Which records a condition meets is asked before the write, so it must not meet what is written meanwhile.
      const isByCondition = draft.verb === 'update many' || draft.verb === 'delete many';
      if (isByCondition) await loose.ended();
      const written = write(engine, draft);
      if (draft.how === 'not awaited' && !isByCondition) doNotAwait(written);
      else await (draft.how === 'caught' ? written.catch(() => {}) : written);
    }
    if (isUndone) throw new Error('undone');
  };
  return {
    arm,
    async take(step: Step): Promise<void> {
      if (step.kind === 'write') await write(engine, step.draft).catch(() => {});
      else if (step.kind === 'push') await device.push(step.drafts, () => arm(undefined));
      else await engine.transaction(() => writeTogether(step.drafts, step.isUndone)).catch(() => {});
    },
    /** The texts of all records that a device has got. */
    async look() {
      await loose.ended();
      return device.pull();
    },
    /** The texts of all records. */
    async stored() {
      const rows: [string, unknown][] = [];
      for (const objectName of NAMES) {
        for (const { id, text } of await engine.find(objectName, {}, { context: AS_SYSTEM })) {
          rows.push([recordKey({ objectName, recordId: String(id) }), text]);
        }
      }
      return rows.toSorted();
    },
    async [Symbol.asyncDispose]() {
      await loose.ended();
      await stop();
    },
  };
}

/** A device that pulls from where it stopped, and pushes each time twice, as after an answer that was lost. */
function deviceOf({ handler }: SyncProtocolPlugin) {
  const replica = new Map<string, { readonly version: number; readonly text: unknown }>();
  let lastCheckpoint: string | null = null;
  let sequence = 0;
  const mutationOf = (draft: Draft): MutationLogEntry => {
    sequence += 1;
    const { id: recordId, ...data } = rowOf(draft);
    const known = replica.get(recordKey({ objectName: draft.object, recordId }));
    const base = {
      id: `m${sequence}`,
      clientId: 'phone',
      sequence,
      timestamp: '2026-01-01T00:00:00.000Z',
      objectName: draft.object,
      recordId,
    };
    if (draft.verb.startsWith('insert')) return { ...base, operation: 'create', data, baseVersion: null };
    const baseVersion = known?.version ?? 1;
    if (draft.verb.startsWith('delete')) return { ...base, operation: 'delete', baseVersion };
    return { ...base, operation: 'update', data: { text: draft.text }, baseVersion };
  };
  return {
    async push(drafts: readonly Draft[], between: () => void): Promise<void> {
      const mutations = drafts.map(mutationOf);
      const envelope = { clientId: 'phone', logId: 'log', protocol: 2, lastCheckpoint: null, pull: false } as const;
      const request: SyncPushRequest = { ...envelope, mutations };
      const first = await handler.handlePush(request).catch(() => undefined);
      between();
      const { results } = await handler.handlePush(request);
      const versionsIn = (told: SyncPushResponse['results']) =>
        told.flatMap((result) => (result.status === 'applied' ? [[result.mutationId, result.serverVersion]] : []));
      expect(versionsIn(results)).toEqual(expect.arrayContaining(versionsIn(first?.results ?? [])));
    },
    async pull() {
      for (let hasMore = true; hasMore; ) {
        const answer = await handler.handlePull({ clientId: 'tablet', lastCheckpoint });
        for (const { serverVersion: version, data, ...ref } of answer.serverChanges) {
          const known = replica.get(recordKey(ref));
          const text = data?.text;
          if (known?.text !== text) expect(version).toBeGreaterThan(known?.version ?? 0);
          replica.set(recordKey(ref), { version, text });
        }
        lastCheckpoint = answer.checkpoint;
        hasMore = answer.hasMore === true;
      }
      const present = [...replica].filter(([, { text }]) => text !== undefined);
      return present.map(([key, { text }]): [string, unknown] => [key, text]).toSorted();
    },
  };
}
