/** Gives devices of a schedule local data engines, and draws the faults of these. */
import type { RecordId } from '@objectql/sync-types';
import { drawEngineStory, drawFamily } from './engine-stories.js';
import type { Action, Edit, EnginePlan, Plan } from './plan.js';
import { Random } from './random.js';

/** The same schedule, with engines. */
export function withEngines({ seed, world, actions }: Plan): Plan {
  const random = new Random('engines', seed);
  // Drawn from streams of their own, so that the rest of a schedule stays the same.
  const stories = new Random('engine stories', seed);
  const rules = new Random('engine rules', seed);
  const storyChance = stories.chance(0.5) ? 0.06 : 0;
  const all = Array.from({ length: world.devices }, (_, index) => index);
  const some = all.filter(() => random.chance(0.7));
  const engines: EnginePlan = {
    devices: some.length > 0 ? some : [0],
    isHooked: random.chance(0.3),
    fail: random.chance(0.5) ? random.next() * 0.2 : 0,
    slow: random.chance(0.4) ? random.next() * 0.5 : 0,
    isOlder: new Random('older engines', seed).chance(0.3),
    projects: random.pick(['bidirectional', 'bidirectional', 'push-only', 'pull-only']),
    ...drawRules(rules, world.devices),
  };
  const parentChance = engines.onDelete ? 0.3 : 0;
  const isRestored = actions.some(({ do: does }) => does === 'restore');
  const isForgetful = world.retentionMs < 86_400_000 || isRestored;
  let edits: readonly Edit[] = [];
  const usedValues = new Set<number>();
  const withMore = actions.flatMap((action, index): readonly Action[] => {
    const kept = withParents(asEngineBears(action), rules, parentChance);
    if (kept.do === 'edit') edits = kept.edits;
    const further = drawFurther(random, {
      device: random.between(0, world.devices - 1),
      isForgetful,
      edits,
      usedValues,
    });
    const family = rules.chance(parentChance / 8)
      ? drawFamily(rules, { devices: world.devices, value: FAMILY_VALUES + index * 1000 })
      : [];
    if (!stories.chance(storyChance)) return [kept, ...further, ...family];
    const story = { devices: world.devices, isRestored, edits, value: STORY_VALUES + index * 1000 };
    return [kept, ...further, ...family, ...drawEngineStory(stories, story)];
  });
  return { seed, world: { ...world, engines }, actions: withMore };
}

/** What the engines refuse, and what goes with deleted records. */
function drawRules(random: Random, devices: number): Partial<EnginePlan> {
  const refuses = random.pick([undefined, 'long values', 'equal values', 'by hook'] as const);
  const pickBehavior = () => random.pick(['cascade', 'cascade', 'set_null', 'restrict'] as const);
  const onDelete = { task: pickBehavior(), note: pickBehavior() };
  const isServerCascading = devices > 1 && random.chance(0.5);
  return { ...(refuses ? { refuses } : {}), ...(random.chance(0.5) ? { onDelete, isServerCascading } : {}) };
}

/** Makes some of the records that are written belong to others. */
function withParents(action: Action, random: Random, share: number): Action {
  if (action.do !== 'edit' || share === 0) return action;
  const edits = action.edits.map((edit) =>
    edit.objectName !== 'project' && random.chance(share)
      ? { ...edit, parent: random.pick(['a', 'b', '1', 'e']) }
      : edit,
  );
  return { ...action, edits };
}

/** With an engine, record ids are strings, and the device is neither cloned nor opened twice. */
function asEngineBears(action: Action): Action {
  const { afterMs } = action;
  switch (action.do) {
    case 'openTab':
    case 'fork':
    case 'backUp':
    case 'fallBack':
    case 'reuseId':
      return { afterMs, do: 'sync', device: action.device };
    case 'edit':
      return { ...action, edits: action.edits.map((edit) => ({ ...edit, recordId: textOf(edit.recordId) })) };
    case 'writePastSync':
      return { ...action, recordId: textOf(action.recordId) };
    default:
      return action;
  }
}

function textOf(recordId: RecordId): RecordId {
  return String(recordId);
}

interface Drawing {
  readonly device: number;
  readonly isForgetful: boolean;
  /** The last changes of some device. */
  readonly edits: readonly Edit[];
  /** The first values of further edits so far: a value tells where it came from. */
  readonly usedValues: Set<number>;
}

/** The first value of further edits: larger than those of any other. */
const FURTHER_VALUES = 2_000_000;
/** The first value of the edits in stories: larger still. */
const STORY_VALUES = 4_000_000;
/** The first value of those of families. */
const FAMILY_VALUES = 6_000_000;

function drawFurther(random: Random, { device, isForgetful, edits: last, usedValues }: Drawing): readonly Action[] {
  const afterMs = 0;
  const roll = random.next();
  const drawBase = () => FURTHER_VALUES + random.between(0, 1000) * 1000;
  let base = drawBase();
  while (usedValues.has(base)) base = drawBase();
  usedValues.add(base);
  const edits = last.map((edit, index) => ({ ...edit, value: base + index }));
  if (roll < 0.01) return [{ afterMs, do: 'endSync', device }];
  if (roll < 0.03 && edits.length > 0)
    return [
      { afterMs, do: 'endSync', device },
      { afterMs: random.between(0, 3000), do: 'edit', device, edits },
    ];
  // What waits then belongs to another user.
  if (roll < 0.05 && edits.length > 0)
    return [
      { afterMs, do: 'endSync', device },
      { afterMs: random.between(0, 3000), do: 'edit', device, edits },
      {
        afterMs: random.between(0, 15_000),
        do: 'signIn',
        device,
        edits: edits.map((edit) => ({ ...edit, value: edit.value + 500 })),
      },
    ];
  // A server that remembers recognizes what is recorded again after a cut.
  if (roll < 0.07 && !isForgetful) return [{ afterMs, do: 'cutEngine', device, commits: random.between(0, 5) }];
  return [];
}
