/** Draws a schedule from a seed: each seed has its own mix of faults. */
import type { RecordId } from '@objectql/sync-types';
import type { Action, Edit, Faults, HiddenField, ObjectName, ObjectPlan, Plan, WorldPlan } from './plan.js';
import { Random } from './random.js';
import { withEngines } from './with-engines.js';
import { withLive } from './with-live.js';
import { withTabs } from './with-tabs.js';

/** What a run may fix instead of drawing it from the seed. */
export interface DrawOptions {
  /** About this many changes are tried. Default 100. */
  readonly mutations?: number;
  /** True if devices have local data engines. */
  readonly hasEngines?: boolean;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** `1` and `'1'` are two records: joining names must not make them one. */
const RECORD_IDS: readonly [RecordId, ...RecordId[]] = ['a', 'b', 1, '1', 'e'];
/** Tasks are drawn more often than the others. */
const OBJECTS: readonly [ObjectName, ...ObjectName[]] = ['task', 'task', 'note', 'project'];
/** Most changes come alone, and some in long runs, as from a device after a day offline. */
const BURSTS: readonly [number, ...number[]] = [1, 1, 1, 2, 3, 5, 10, 30];
const FIELDS: readonly [string, ...string[]] = ['title', 'status', 'body', 'due'];

/** The first value of further actions: larger than those of any edit, since a value tells where it came from. */
const FURTHER_VALUES = 1_000_000;

/** The schedule of a seed. The same seed and options give the same schedule, for ever within one version of this file. */
export function drawPlan(seed: number, { mutations = 100, hasEngines = false }: DrawOptions = {}): Plan {
  const random = new Random('plan', seed);
  // Later additions are drawn from a stream of their own, so that the rest of a schedule stays the same.
  const further = new Random('further', seed);
  const losses = new Random('losses', seed);
  const battery = new Random('battery', seed);
  // Only in some schedules, because it also takes time.
  const powerCuts = battery.chance(0.4) ? 0.08 : 0;
  const world = withFirewall(new Random('firewall', seed), drawFurtherWorld(further, drawWorld(random)));
  const actions: Action[] = [];
  const isSolo = world.devices === 1;
  const isDangerous = random.chance(0.35) && !isSolo;
  const pace = random.pick([300, 3000, 20_000]);
  for (let edits = 0; edits < mutations; ) {
    const action = drawAction(random, { world, isSolo, isDangerous, value: edits });
    edits += action.do === 'edit' ? action.edits.length : action.do === 'writePastSync' ? 1 : 0;
    actions.push({ ...action, afterMs: Math.floor(random.next() ** 2 * pace) });
    const another = drawFurtherAction(further, { world, isSolo, isDangerous, value: FURTHER_VALUES + actions.length });
    if (another) actions.push(another);
    if (losses.chance(0.01)) {
      actions.push({ afterMs: 0, do: 'loseRecords', device: losses.between(0, world.devices - 1) });
    }
    if (battery.chance(powerCuts)) actions.push(...drawPowerCut(battery, battery.between(0, world.devices - 1)));
  }
  const plan = { seed, world, actions };
  return hasEngines ? withLive(withEngines(plan)) : withTabs(withLive(plan));
}

function drawWorld(random: Random): WorldPlan {
  const devices = random.chance(0.2) ? 1 : random.between(2, 3);
  return {
    devices,
    isFirstUserShared: random.chance(0.3),
    resolver: random.pick(['store', 'store', 'transactional', 'plain']),
    objects: { task: drawObject(random), note: drawObject(random), project: drawObject(random) },
    faults: drawFaults(random),
    retentionMs: random.pick([MINUTE_MS, 10 * MINUTE_MS, 30 * DAY_MS]),
    pageRecords: random.pick([1, 5, 500, 500]),
    maxMutations: random.pick([3, 20, 100, 100]),
    batchSize: random.pick([1, 5, 50, 50]),
    debounceMs: random.pick([0, 100, 1000, 5000]),
    skewsMs: [0, 1, 2, 3, 4].map(() => (random.chance(0.6) ? 0 : Math.floor((random.next() - 0.5) * 6 * DAY_MS))),
    isErrorAnswered: random.chance(0.5),
    isMerging: random.chance(0.2),
    isAuthorized: random.chance(0.35) && devices > 1,
  };
}

function drawFurtherWorld(random: Random, world: WorldPlan): WorldPlan {
  const hiddenFields = [0, 1].flatMap(() => (random.chance(0.5) ? [drawHiddenField(random)] : []));
  const servers = random.chance(0.3) ? 2 : 1;
  return { ...world, servers, ...(world.isAuthorized ? { hiddenFields } : {}) };
}

/** A proxy that dislikes what some records say, in some schedules. */
function withFirewall(random: Random, world: WorldPlan): WorldPlan {
  return random.chance(0.15) ? { ...world, faults: { ...world.faults, forbid: random.next() * 0.15 } } : world;
}

function drawHiddenField(random: Random): HiddenField {
  return { user: random.pick(['u0', 'u1', 'u2']), objectName: random.pick(OBJECTS), field: random.pick(FIELDS) };
}

function drawObject(random: Random): ObjectPlan {
  return {
    strategy: random.pick(['last-write-wins', 'last-write-wins', 'crdt', 'manual']),
    isKnownToServer: random.chance(0.7),
    conflictFields: random.chance(0.3) ? ['title', 'status'] : null,
  };
}

function drawFaults(random: Random): Faults {
  const maybe = (highest: number) => (random.chance(0.5) ? random.next() * highest : 0);
  return {
    loseRequest: maybe(0.3),
    loseAnswer: maybe(0.4),
    cutAnswer: maybe(0.2),
    garbleAnswer: maybe(0.1),
    duplicate: maybe(0.5),
    longDelay: maybe(0.3),
    slowStorage: random.chance(0.3) ? random.next() * 0.5 : 0,
    slowStore: random.chance(0.4) ? random.next() * 0.5 : 0,
    failStorage: maybe(0.05),
    failStore: maybe(0.05),
  };
}

function drawEdit(random: Random, world: WorldPlan, value: number): Edit {
  const objectName = random.pick(OBJECTS);
  const recordId = random.pick(RECORD_IDS);
  const wish = random.chance(0.15) ? 'delete' : 'update';
  const fields = FIELDS.filter(() => random.chance(0.4));
  const failing: Edit['special'] =
    world.resolver === 'store' || !random.chance(0.08) ? 'none' : random.pick<Edit['special']>(['poison', 'refused']);
  const special =
    world.isAuthorized && random.chance(0.08) ? random.pick<Edit['special']>(['forbidden', 'private']) : failing;
  return { objectName, recordId, wish, fields, value, isCommon: random.chance(0.15), special };
}

interface Drawing {
  readonly world: WorldPlan;
  readonly isSolo: boolean;
  readonly isDangerous: boolean;
  readonly value: number;
}

function drawAction(random: Random, { world, isSolo, isDangerous, value }: Drawing): Action {
  const device = random.between(0, world.devices - 1);
  const afterMs = 0;
  const roll = random.next();
  if (roll < 0.55) {
    const edits = Array.from({ length: random.pick(BURSTS) }, (_, index) => drawEdit(random, world, value + index));
    return { afterMs, do: 'edit', device, edits };
  }
  if (roll < 0.67) return { afterMs, do: 'sync', device };
  if (roll < 0.7) return { afterMs, do: random.chance(0.5) ? 'goOffline' : 'goOnline', device };
  if (roll < 0.74) {
    const when = random.chance(0.5) ? 'before' : 'after';
    return { afterMs, do: 'crashAt', device, operation: random.between(1, 12), when };
  }
  if (roll < 0.76) return { afterMs, do: 'crash', device };
  if (roll < 0.78) return { afterMs, do: 'setClock', device, aheadMs: Math.floor((random.next() - 0.5) * 4 * DAY_MS) };
  if (roll < 0.81) return { afterMs, do: 'prune' };
  if (roll < 0.84) {
    const when = random.chance(0.5) ? 'before' : 'after';
    return { afterMs, do: 'crashServerAt', operation: random.between(1, 20), when, downMs: random.between(0, 20_000) };
  }
  if (roll < 0.85) return { afterMs, do: 'crashServer', downMs: random.between(0, 60_000) };
  if (roll < 0.88) return { afterMs, do: 'resolve', device, choice: random.pick(['mine', 'theirs', 'merged']) };
  if (roll < 0.9) return { afterMs, do: 'answerDeadLetter', device, choice: random.pick(['retry', 'discard']) };
  if (roll < 0.92) {
    return { afterMs, do: 'setLimits', pageRecords: random.pick([1, 5, 500]), maxMutations: random.pick([1, 10, 100]) };
  }
  if (roll < 0.93) return { afterMs, do: 'pause', device };
  if (isSolo) return { afterMs, do: 'sync', device };
  if (roll < 0.96) {
    const { objectName, recordId, wish, fields } = drawEdit(random, world, value);
    return { afterMs, do: 'writePastSync', objectName, recordId, wish, fields, value };
  }
  if (roll < 0.975) {
    const objectName = random.pick(OBJECTS);
    if (world.isAuthorized) return { afterMs, do: 'grant', device, objectName, isGranted: random.chance(0.6) };
    return { afterMs, do: 'sync', device };
  }
  if (!isDangerous) return { afterMs, do: random.chance(0.7) ? 'openTab' : 'mixUpSession', device };
  if (roll < 0.981) return { afterMs, do: 'fork', device };
  if (roll < 0.985) return { afterMs, do: 'clear', device };
  if (roll < 0.992) return { afterMs, do: random.chance(0.5) ? 'backUp' : 'fallBack', device };
  return { afterMs, do: 'restore', share: random.next() };
}

/** The device sends its changes, hears of others', and loses its power. */
function drawPowerCut(random: Random, device: number): readonly Action[] {
  return [
    { afterMs: 0, do: 'sync', device },
    { afterMs: random.between(0, 30_000), do: 'sync', device },
    { afterMs: random.between(0, 5000), do: 'cutPower', device, share: random.next() },
  ];
}

function drawFurtherAction(random: Random, { world, isSolo, isDangerous, value }: Drawing): Action | undefined {
  const device = random.between(0, world.devices - 1);
  const afterMs = 0;
  const roll = random.next();
  if (roll < 0.02 && world.isAuthorized) {
    const { objectName, field } = drawHiddenField(random);
    return { afterMs, do: 'hideField', device, objectName, field, isHidden: random.chance(0.4) };
  }
  // A server that forgets cannot recognize an id: here it remembers to the end.
  const isForgetful = isDangerous || world.retentionMs < 30 * DAY_MS;
  if (roll < 0.05 && !isSolo && !isForgetful) {
    return { afterMs, do: 'reuseId', device, nth: random.between(0, 1000), edit: drawEdit(random, world, value) };
  }
  return undefined;
}
