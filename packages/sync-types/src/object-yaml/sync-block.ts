/** The schema of the `sync` block: its keys, and how each mistake is explained. */
import { z } from 'zod';
import { STRATEGY_NAMES } from '../strategies/strategy-name.js';
import { SYNC_DIRECTIONS, type SyncConfig } from '../sync-config.js';
import { closestName } from './closest-name.js';

/** The longest delay of a timer; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const fieldNameError = must('the name of a field');
const fieldName = z.string({ error: fieldNameError }).min(1, { error: fieldNameError });

export const syncBlockSchema = z.strictObject(
  {
    enabled: z.boolean({ error: must('true or false') }),
    strategy: oneOf(STRATEGY_NAMES).optional(),
    direction: oneOf(SYNC_DIRECTIONS).optional(),
    debounce_ms: wholeNumber({ from: 0, to: MAX_TIMER_MS, unit: 'milliseconds' }).optional(),
    batch_size: wholeNumber({ from: 1, to: Number.MAX_SAFE_INTEGER, unit: 'mutations' }).optional(),
    conflict_fields: z
      .array(fieldName, { error: must('a list of field names') })
      .readonly()
      .optional(),
  },
  {
    error: (issue) =>
      issue.code === 'invalid_type'
        ? `must be a mapping such as { enabled: true }, is ${show(issue.input)}`
        : undefined,
  },
) satisfies z.ZodType<SyncConfig>;

function oneOf<const Names extends readonly [string, ...string[]]>(names: Names) {
  return z.enum(names, {
    error: ({ input }) => {
      const meant = typeof input === 'string' ? closestName(input, names) : undefined;
      return `must be ${list(names)}, is ${show(input)}${meant ? `; did you mean ${meant}?` : ''}`;
    },
  });
}

function wholeNumber({ from, to, unit }: { from: number; to: number; unit: string }) {
  const range = to === Number.MAX_SAFE_INTEGER ? `${from} or more` : `from ${from} to ${to}`;
  const error = must(`a whole number of ${unit}, ${range}`);
  return z.int({ error }).min(from, { error }).max(to, { error });
}

function must(expected: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) =>
    input === undefined ? `is missing; must be ${expected}` : `must be ${expected}, is ${show(input)}`;
}

function show(input: unknown): string {
  if (input === null || input === undefined) return 'empty';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a mapping';
  return typeof input === 'string' ? `the text ${JSON.stringify(input)}` : String(input);
}

function list(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
