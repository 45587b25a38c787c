/** Whatever happens around a local data engine, it ends with what the server has, and nothing is lost on the way. */
import { TestPlatform } from '@objectql/plugin-sync/testing';
import { recordKey } from '@objectql/sync-types';
import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LastingStorage } from '../../../plugin-sync/test/fixtures/lasting-storage.js';
import { NAMES } from '../../../protocol-sync/src/objectstack/engine-histories.contract.js';
import { HistoryServer } from './history-server.fixture.js';
import {
  type Draft,
  type History,
  histories,
  isByCondition,
  rowOf,
  type Step,
  storedAs,
  TextHooks,
  type Turn,
  UNKNOWN,
  write,
} from './local-histories.contract.js';
import { LocalProcess } from './local-process.fixture.js';
import { type ToldWrite, ToldWrites } from './told-writes.fixture.js';

/** 8 histories, which take a few seconds: `SYNC_TEST_HISTORIES=1000` for more. */
const HISTORIES = Number(process.env.SYNC_TEST_HISTORIES ?? 8);

it('I1 I2 I4 I8 ends with what the server has, and loses nothing that an app was told is written, after any history', {
  timeout: 600_000 + HISTORIES * 10_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (history) => {
      await using world = await World.of(history);
      for (const turn of history.turns) {
        await world.take(turn);
        if (turn.isChecked) await world.check();
      }
      await world.check();
      await world.take({ steps: [{ kind: 'close' }], fault: undefined });
      await world.check();
    }),
    { numRuns: HISTORIES },
  );
});

type TransactionStep = Extract<Step, { readonly kind: 'transaction' }>;

/** A write that has begun. */
interface Begun {
  readonly text: string;
  readonly done: Promise<readonly ToldWrite[]>;
}

class World implements AsyncDisposable {
  readonly #database = new SqliteWasmDriver({ filename: ':memory:' });
  readonly #storage = new LastingStorage();
  readonly #hooks = new TextHooks();
  readonly #server: HistoryServer;
  readonly #told: ToldWrites;
  #platform = new TestPlatform();
  #processes = 0;
  #texts = 0;
  #process: LocalProcess | undefined;

  private constructor({ strategy }: History) {
    const newText = (effect: string) => this.#newText(/refuse|throw before/.test(effect) ? 'nothing' : effect);
    this.#server = new HistoryServer({ strategy, now: () => this.#platform.now(), newText });
    this.#told = new ToldWrites(this.#server);
  }

  static async of(history: History): Promise<World> {
    const world = new World(history);
    await world.#database.connect();
    await world.#start();
    if (history.isFilled) await world.#fill();
    return world;
  }

  /** Steps at the same time; what dies meanwhile starts again. */
  async take({ steps, fault }: Pick<Turn, 'steps' | 'fault'>): Promise<void> {
    const { life } = this.#running;
    life.arm(fault);
    await Promise.race([Promise.all(steps.map((step) => this.#take(step).catch(() => {}))), life.over]);
    life.arm(undefined);
    const isClosed = steps.some(({ kind }) => kind === 'close');
    if (isClosed) await this.#running.close();
    else if (life.isOver) await this.#running.die();
    if (isClosed || life.isOver) await this.#start();
  }

  /** Throws if anything is lost or differs once all has come to rest. */
  async check(): Promise<void> {
    const { sync } = this.#running;
    await this.#running.rest();
    const { records, unknown } = await this.#running.records();
    expect(records, 'the engine has what the server has').toEqual(await this.#server.records());
    expect(
      unknown.filter((id) => !id.startsWith(UNKNOWN)),
      'sync knows all but what hooks made under its own writes',
    ).toEqual([]);
    const conflicts = sync.client.conflicts.list().map(({ conflict }) => conflict.clientMutation);
    this.#told.check([...conflicts, ...sync.client.deadLetters.list().map(({ mutation }) => mutation)]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.close();
    await this.#database.disconnect();
  }

  get #running(): LocalProcess {
    if (!this.#process) throw new Error('No process is running.');
    return this.#process;
  }

  #newText(effect: string): string {
    this.#texts += 1;
    return `${effect} ${this.#texts}`;
  }

  async #start(): Promise<void> {
    this.#processes += 1;
    this.#platform = new TestPlatform({ now: this.#platform.now(), seed: this.#processes });
    this.#process = await new LocalProcess({
      database: this.#database,
      storage: this.#storage,
      hooks: this.#hooks,
      platform: this.#platform,
      push: (request) => {
        for (const mutation of request.mutations) this.#told.see(mutation);
        return this.#server.push(request);
      },
    }).start();
  }

  /** Begins with three records of each object, and three more. */
  async #fill(): Promise<void> {
    const common = { verb: 'insert many', effect: 'nothing', how: 'awaited', isApart: false } as const;
    const drafts = NAMES.flatMap((object) => ['a', 'b', 'c'].map((id) => ({ ...common, object, id })));
    await this.#server.pushAsOther(drafts, { isFresh: true });
    await this.#running.rest();
  }

  async #take(step: Step): Promise<unknown> {
    const { sync, local, platform, life } = this.#running;
    switch (step.kind) {
      case 'write':
        return this.#tell((await this.#begin(step.draft)).done);
      case 'transaction':
        return this.#transaction(step);
      case 'others':
        return this.#server.pushAsOther(step.drafts, step);
      case 'wait':
        return platform.advance(step.ms);
      case 'sync':
        return sync.syncAll();
      case 'settle':
        return local.settled();
      case 'die':
        return life.end();
      case 'close':
        // Behind the other steps.
        return;
      case 'change epoch':
        return this.#server.changeEpoch();
      case 'lose server':
        this.#told.lose();
        return this.#server.lose();
      default:
        return this.#decide(step);
    }
  }

  /** The user decides what has waited longest. */
  async #decide(step: Extract<Step, { readonly kind: 'retry' | 'discard' | 'resolve' }>): Promise<unknown> {
    const { conflicts, deadLetters } = this.#running.sync.client;
    if (step.kind === 'resolve') {
      const [parked] = conflicts.list();
      if (!parked) return;
      this.#told.decide(parked.conflict.clientMutation);
      return conflicts.resolve(parked.id, step.choice === 'merged' ? { text: this.#newText('merged') } : step.choice);
    }
    const [letter] = deadLetters.list();
    if (!letter) return;
    this.#told.decide(letter.mutation);
    return step.kind === 'retry' ? deadLetters.retry(letter.id) : deadLetters.discard(letter.id);
  }

  async #tell(done: Promise<readonly ToldWrite[]>): Promise<void> {
    this.#told.tell(await done);
  }

  async #transaction({ drafts, questions, isUndone }: TransactionStep): Promise<void> {
    const { engine } = this.#running;
    const begun: Begun[] = [];
    let isTakenBack = false;
    const work = async () => {
      try {
        for (const draft of drafts) await this.#writeIn(draft, begun);
        for (let n = 0; n < questions; n += 1) await engine.count('project', {}, { context: AS_SYSTEM });
        if (isUndone) throw new Error('The user has changed their mind.');
      } catch (error) {
        isTakenBack = true;
        throw error;
      }
    };
    try {
      await engine.transaction(work);
    } catch {
      // What fails at its commit may be committed.
      if (isTakenBack) for (const { text } of begun) this.#told.undo(storedAs(text));
      return;
    }
    const ends = await Promise.allSettled(begun.map(({ done }) => done));
    const writes = ends.flatMap((end) => (end.status === 'fulfilled' ? end.value : []));
    this.#told.tell(writes, { isTogether: drafts.some(({ how }) => how === 'not awaited') });
  }

  /** Makes one of a transaction's writes; those that end with it go to `begun`. */
  async #writeIn(draft: Draft, begun: Begun[]): Promise<void> {
    const { loose, beside } = this.#running;
    // Awaited here, it would wait for ever for the only connection.
    if (draft.isApart) {
      const { done } = await this.#begin(draft);
      return void beside.add(this.#tell(done)).catch(() => {});
    }
    // Which records a condition meets is asked before the write, so it must not meet what is written meanwhile.
    if (isByCondition(draft)) await loose.ended();
    const isAwaited = draft.how !== 'not awaited' || isByCondition(draft);
    const one = isAwaited ? await this.#begin(draft, { isLooking: true }) : await this.#begin(draft);
    begun.push(one);
    // Of what fails later, nobody else hears.
    const ended = loose.add(one.done).catch(() => {});
    if (isAwaited) await (draft.how === 'caught' ? ended : one.done);
  }

  /** Begins a write; `isLooking` finds out in its transaction what it is about to replace. */
  async #begin(draft: Draft, { isLooking = false } = {}): Promise<Begun> {
    const { engine } = this.#running;
    const { verb, object: objectName } = draft;
    const text = this.#newText(draft.effect);
    const { id } = rowOf(draft, text);
    const rows = isLooking ? await engine.find(objectName, {}, { context: AS_SYSTEM }) : [];
    const before = verb === 'update' && isLooking ? { before: rows.find((row) => row.id === id)?.text } : {};
    const written = isByCondition(draft) ? rows.map((row) => String(row.id)).filter((other) => other !== id) : [id];
    if (verb === 'insert many') written.push(`${id}-2`);
    const told = written.flatMap((recordId): readonly ToldWrite[] => {
      const key = recordKey({ objectName, recordId });
      if (!verb.startsWith('delete')) return [{ key, text: storedAs(text), ...before }];
      return recordId.startsWith(UNKNOWN) ? [] : [{ key, text: 'delete' }];
    });
    return { text, done: this.#hooks.asApp(() => write(engine, draft, text)).then(() => told) };
  }
}
