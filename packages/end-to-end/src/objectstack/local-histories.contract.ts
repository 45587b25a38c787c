/** What happens around a local data engine, drawn at random: its app and hooks, its user, other devices, server, faults. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import type { HookHandler, ObjectQL } from '@objectstack/objectql';
import fc from 'fast-check';
import { NAMES } from '../../../protocol-sync/src/objectstack/engine-histories.contract.js';
import type { Fault } from './process-life.fixture.js';

export interface Draft {
  readonly verb: 'insert' | 'insert many' | 'update' | 'update many' | 'delete' | 'delete many';
  readonly object: string;
  readonly id: string;
  /** What the hooks or the server make of the text that this begins. */
  readonly effect: string;
  /** How the application takes the end of the write. */
  readonly how: 'awaited' | 'caught' | 'not awaited';
  /** Whether it is kept out of the running code's transaction. */
  readonly isApart: boolean;
}

export type Step =
  | { readonly kind: 'write'; readonly draft: Draft }
  /** Ends after so many questions, or takes everything back. */
  | {
      readonly kind: 'transaction';
      readonly drafts: readonly Draft[];
      readonly questions: number;
      readonly isUndone: boolean;
    }
  /** What another device pushes; `isFresh` if it has pulled before. */
  | { readonly kind: 'others'; readonly drafts: readonly Draft[]; readonly isFresh: boolean }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'resolve'; readonly choice: 'mine' | 'theirs' | 'merged' }
  | { readonly kind: 'retry' | 'discard' }
  | { readonly kind: 'sync' | 'settle' | 'close' | 'die' | 'change epoch' | 'lose server' };

/** Steps at the same time, and what fails meanwhile. */
export interface Turn {
  readonly steps: readonly Step[];
  readonly fault: Fault | undefined;
  /** Whether all must come to rest behind it. */
  readonly isChecked: boolean;
}

export interface History {
  /** The server's; without one the client decides. */
  readonly strategy: 'last-write-wins' | 'crdt' | 'manual' | undefined;
  /** Whether there are records at the beginning. */
  readonly isFilled: boolean;
  readonly turns: readonly Turn[];
}

const EFFECTS = ['nothing', 'nothing', 'rewrite', 'throw before', 'throw after', 'echo', 'echo later', 'refuse'];

/** True in one of `n`. */
const rarely = (n: number) => fc.nat(n - 1).map((drawn) => drawn === 0);
const draft: fc.Arbitrary<Draft> = fc.record({
  verb: fc.constantFrom(
    ...(['insert', 'insert many', 'update', 'update', 'update', 'update many', 'delete', 'delete many'] as const),
  ),
  object: fc.constantFrom(...NAMES),
  id: fc.constantFrom('a', 'a', 'b', 'c'),
  effect: fc.constantFrom(...EFFECTS),
  how: fc.constantFrom('awaited', 'caught', 'caught', 'not awaited'),
  isApart: rarely(8),
});
const drafts = fc.array(draft, { minLength: 1, maxLength: 4 });

const kind = <Kind extends string>(...kinds: readonly Kind[]) => fc.constantFrom(...kinds);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: kind('write'), draft }) },
  { weight: 6, arbitrary: fc.record({ kind: kind('transaction'), drafts, questions: fc.nat(8), isUndone: rarely(5) }) },
  { weight: 5, arbitrary: fc.record({ kind: kind('others'), drafts, isFresh: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ kind: kind('sync') }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('settle', 'retry', 'discard') }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('close', 'die') }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('change epoch', 'change epoch', 'lose server') }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('wait'), ms: fc.constantFrom(100, 3_000, 100_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('resolve'), choice: kind('mine', 'theirs', 'merged') }) },
);
const common = {
  when: kind('before', 'after'),
  times: fc.constantFrom(1, 1, 3),
  does: kind('fail', 'fail', 'die'),
};
const fault: fc.Arbitrary<Fault> = fc.oneof(
  // 60: about as many calls as a turn makes.
  { weight: 3, arbitrary: fc.record({ ...common, of: kind('database'), nth: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ ...common, of: kind('storage', 'network'), nth: fc.nat(6) }) },
);
const turn: fc.Arbitrary<Turn> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 4 }),
  fault: fc.option(fault, { nil: undefined }),
  isChecked: rarely(3),
});
export const histories: fc.Arbitrary<History> = fc.record({
  strategy: fc.constantFrom('last-write-wins', 'crdt', 'manual', undefined),
  isFilled: fc.nat(3).map((drawn) => drawn > 0),
  turns: fc.array(turn, { minLength: 3, maxLength: 10 }),
});

export function isByCondition({ verb }: Draft): boolean {
  return verb === 'update many' || verb === 'delete many';
}

/** The record that a draft names, with its text. */
export function rowOf({ object, id }: Draft, text: string) {
  return { id: `${object}-${id}`, text, ...(object === 'project' ? {} : { project: 'project-a' }) };
}

/** Makes the write of a draft as the application; one by a condition writes all other records. */
export function write(engine: ObjectQL, one: Draft, text: string): Promise<unknown> {
  const { verb, object, isApart } = one;
  const row = rowOf(one, text);
  // A cast: the engine takes a `null` that its types do not know.
  const context = isApart ? { ...AS_SYSTEM, transaction: null as unknown as undefined } : AS_SYSTEM;
  const others = { where: { id: { $ne: row.id } }, multi: true, context };
  switch (verb) {
    case 'insert':
      return engine.insert(object, row, { context });
    case 'insert many':
      return engine.insert(object, [row, { ...row, id: `${row.id}-2` }], { context });
    case 'update':
      return engine.update(object, { id: row.id, text }, { context });
    case 'update many':
      return engine.update(object, { text }, others);
    case 'delete':
      return engine.delete(object, { where: { id: row.id }, context });
    case 'delete many':
      return engine.delete(object, others);
  }
}

/** What the hooks make of a text. */
export function storedAs(text: string): string {
  return text.replace(/^rewrite /, 'rewritten ');
}

/** How the ids of records begin that hooks make under sync's writes: sync does not know them before its next start. */
export const UNKNOWN = 'unknown';

/** The application's hooks, in each of its processes: they do as a record's text says, and fail once for each. */
export class TextHooks {
  readonly #failed = new Set<string>();
  readonly #byApp = new AsyncLocalStorage<true>();

  /** Runs the application's own work, by which hooks tell its writes from those of sync. */
  asApp<T>(work: () => T): T {
    return this.#byApp.run(true, work);
  }

  /** `later` is told what they do not await. */
  register(engine: ObjectQL, later: (work: Promise<unknown>) => void): void {
    const before: HookHandler = async ({ input }) => {
      const data = dataOf(input);
      if (!data?.text) return;
      if (data.text.startsWith('throw before')) this.#failOnce(data.text);
      data.text = storedAs(data.text);
    };
    const after: HookHandler = async ({ input }) => {
      const text = dataOf(input)?.text ?? '';
      if (text.startsWith('throw after')) this.#failOnce(text);
      if (!text.startsWith('echo ')) return;
      const echoed = echo(engine, `${this.#byApp.getStore() ? 'echo' : UNKNOWN}-${text.at(-1)}`);
      if (text.startsWith('echo later')) later(echoed);
      else await echoed;
    };
    for (const object of NAMES) {
      for (const event of ['beforeInsert', 'beforeUpdate']) engine.registerHook(event, before, { object });
      for (const event of ['afterInsert', 'afterUpdate']) engine.registerHook(event, after, { object });
    }
  }

  /** For ever would keep sync from writing the record. */
  #failOnce(text: string): void {
    if (this.#failed.has(text)) return;
    this.#failed.add(text);
    throw new Error(`The hook fails: ${text}.`);
  }
}

async function echo(engine: ObjectQL, id: string): Promise<void> {
  const options = { context: AS_SYSTEM };
  if (await engine.findOne('note', { where: { id } }, options)) {
    await engine.update('note', { id, text: 'again' }, options);
  } else await engine.insert('note', { id, text: 'first' }, options);
}

/** A cast: what a hook is given of a write by its data. */
function dataOf(input: unknown): { text?: string } | undefined {
  return (input as { readonly data?: { text?: string } }).data;
}
