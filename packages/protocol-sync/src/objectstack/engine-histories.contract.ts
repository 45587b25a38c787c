/** What an application, its hooks and a device do to a data engine, drawn at random. */
import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import type { HookHandler, ObjectQL } from '@objectstack/objectql';
import fc from 'fast-check';
import type { DriverFault } from './failing-driver.fixture.js';

const text = { type: 'text', label: 'Text' };
const project = { type: 'lookup', label: 'Project', reference: 'project' };
const objectOf = (name: string, fields: object) => ({ name, label: name, sync: { enabled: true }, fields });
/** Projects, what goes with its project, and what only loses it. */
export const OBJECTS = [
  objectOf('project', { text }),
  objectOf('item', { text, project: { ...project, deleteBehavior: 'cascade' } }),
  objectOf('note', { text, project: { ...project, deleteBehavior: 'set_null' } }),
];
export const NAMES = OBJECTS.map(({ name }) => name);

export interface Draft {
  readonly verb: 'insert' | 'insert many' | 'update' | 'update many' | 'delete' | 'delete many';
  readonly object: string;
  readonly id: string;
  /** What hooks do, and a digit. */
  readonly text: string;
  /** How the application takes the end of the write. */
  readonly how: 'awaited' | 'caught' | 'not awaited';
}

export type Step =
  | { readonly kind: 'write'; readonly draft: Draft }
  | { readonly kind: 'transaction'; readonly drafts: readonly Draft[]; readonly isUndone: boolean }
  | { readonly kind: 'push'; readonly drafts: readonly Draft[] };

/** Steps at the same time, and where the database fails meanwhile. */
export interface Turn {
  readonly steps: readonly Step[];
  readonly fault: DriverFault | undefined;
}

const EFFECTS = ['nothing', 'rewrite', 'throw before', 'throw after', 'echo', 'echo later'];

const draft: fc.Arbitrary<Draft> = fc.record({
  verb: fc.constantFrom('insert', 'insert many', 'update', 'update many', 'delete', 'delete many'),
  object: fc.constantFrom(...NAMES),
  id: fc.constantFrom('a', 'b', 'c'),
  text: fc.tuple(fc.constantFrom(...EFFECTS), fc.nat(9)).map((parts) => parts.join(' ')),
  how: fc.constantFrom('awaited', 'caught', 'not awaited'),
});
const drafts = fc.array(draft, { minLength: 1, maxLength: 4 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), draft }),
  fc.record({ kind: fc.constant('transaction' as const), drafts, isUndone: fc.boolean() }),
  fc.record({ kind: fc.constant('push' as const), drafts }),
);
/** 40: about as many calls as a push makes. */
const fault: fc.Arbitrary<DriverFault> = fc.record({
  nth: fc.nat(40),
  when: fc.constantFrom('before' as const, 'after' as const),
});
const turn: fc.Arbitrary<Turn> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 2 }),
  fault: fc.option(fault, { nil: undefined }),
});
export const histories = fc.array(turn, { minLength: 1, maxLength: 8 });

export function rowOf({ object, id, text: value }: Draft) {
  return { id: `${object}-${id}`, text: value, ...(object === 'project' ? {} : { project: 'project-a' }) };
}

/** Makes the write of a draft as the application. */
export function write(engine: ObjectQL, one: Draft): Promise<unknown> {
  const { verb, object } = one;
  const row = rowOf(one);
  const options = { context: AS_SYSTEM };
  const others = { where: { text: { $ne: row.text } }, multi: true, ...options };
  switch (verb) {
    case 'insert':
      return engine.insert(object, row, options);
    case 'insert many':
      return engine.insert(object, [row, { ...row, id: `${row.id}-2` }], options);
    case 'update':
      return engine.update(object, { id: row.id, text: row.text }, options);
    case 'update many':
      return engine.update(object, { text: row.text }, others);
    case 'delete':
      return engine.delete(object, { where: { id: row.id }, ...options });
    case 'delete many':
      return engine.delete(object, others);
  }
}

/** Registers the application's hooks, which do as the text of a record says; `later` is told what they do not await. */
export function registerHooks(engine: ObjectQL, later: (work: Promise<unknown>) => void): void {
  const before: HookHandler = async ({ input }) => {
    const data = dataOf(input);
    if (data?.text?.startsWith('throw before')) throw new Error('not this');
    if (data?.text?.startsWith('rewrite')) data.text = `rewritten ${data.text.at(-1)}`;
  };
  const after: HookHandler = async ({ input }) => {
    const value = dataOf(input)?.text ?? '';
    if (value.startsWith('throw after')) throw new Error('too late');
    const echoed = value.startsWith('echo') ? echo(engine, `echo-${value.at(-1)}`) : undefined;
    if (value.startsWith('echo later') && echoed) later(echoed);
    else await echoed;
  };
  for (const object of NAMES) {
    for (const event of ['beforeInsert', 'beforeUpdate']) engine.registerHook(event, before, { object });
    for (const event of ['afterInsert', 'afterUpdate']) engine.registerHook(event, after, { object });
  }
}

async function echo(engine: ObjectQL, id: string): Promise<void> {
  const options = { context: AS_SYSTEM };
  if (id.at(-1) === '0') await engine.insert('note', { id, text: 'nothing' }, options);
  else if (await engine.findOne('note', { where: { id } }, options)) {
    await engine.update('note', { id, text: 'nothing again' }, options);
  } else await engine.insert('note', { id, text: 'nothing' }, options);
}

/** A cast: what a hook is given of a write by its data. */
function dataOf(input: unknown): { text?: string } | undefined {
  return (input as { readonly data?: { text?: string } }).data;
}
