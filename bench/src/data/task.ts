/** The records of every workload: tasks of ten scalar fields, about 330 bytes of JSON, under ids of 20 characters. */
import { pick, seededRandom } from './random.js';

export const OBJECT_NAME = 'task';

export type Value = string | number | boolean;
export type Task = Readonly<Record<string, Value>>;
export type TaskChange = readonly [recordId: string, data: Task];

export const TASK_FIELDS = [
  'title',
  'status',
  'priority',
  'assignee',
  'done',
  'estimate',
  'notes',
  'dueAt',
  'tags',
  'updatedAt',
] as const;

const STATUSES = ['pending', 'in_progress', 'review', 'completed', 'archived'] as const;
const WORDS = [
  'lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut labore et dolore magna',
  'aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris nisi aliquip ex ea commodo consequat',
]
  .join(' ')
  .split(' ') as [string, ...string[]];
/** 2026-01-01. */
const FIRST_DAY = 1_767_225_600_000;
const SECONDS_PER_YEAR = 31_536_000;

/** The id of the nth record; ids do not sort as they were made. */
export function taskId(n: number): string {
  const hex = (value: number) => value.toString(16).padStart(8, '0');
  return `rec_${hex(Math.imul(n, 2_654_435_761) >>> 0)}${hex(n)}`;
}

/** The nth record. */
export function makeTask(n: number): Task {
  const random = seededRandom(n + 1);
  return {
    title: words(random, 6),
    status: pick(random, STATUSES),
    priority: 1 + Math.floor(random() * 5),
    assignee: `user_${Math.floor(random() * 500)}`,
    done: random() < 0.3,
    estimate: Math.floor(random() * 80) / 4,
    notes: words(random, 16),
    dueAt: new Date(FIRST_DAY + Math.floor(random() * SECONDS_PER_YEAR) * 1000).toISOString(),
    tags: words(random, 3),
    updatedAt: FIRST_DAY + n,
  };
}

/** Records `from` up to `from + count`, with their ids. */
export function makeTasks(count: number, from = 0): readonly TaskChange[] {
  return Array.from({ length: count }, (_, index) => [taskId(from + index), makeTask(from + index)]);
}

/** A new value of one field, unlike any that a record starts with or that another `n` gives. */
export function makeEdit(n: number, random: () => number): Task {
  const field = pick(random, ['title', 'status', 'priority', 'assignee', 'estimate', 'notes']);
  switch (field) {
    case 'priority':
      return { priority: 10 + n };
    case 'estimate':
      return { estimate: 100 + n / 4 };
    case 'status':
      return { status: `${pick(random, STATUSES)}_${n}` };
    case 'assignee':
      return { assignee: `user_n${n}` };
    default:
      return { [field]: `${words(random, field === 'title' ? 6 : 16)} #${n}` };
  }
}

function words(random: () => number, count: number): string {
  return Array.from({ length: count }, () => pick(random, WORDS)).join(' ');
}
