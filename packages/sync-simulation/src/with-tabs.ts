/** Makes devices of a schedule browsers with several tabs, and draws what happens to these. */
import type { Action, Plan, TabStandstill, TabsPlan } from './plan.js';
import { Random } from './random.js';

/** A device without tabs, a lone tab, and up to four. */
const COUNTS: readonly [number, ...number[]] = [0, 1, 2, 2, 3, 4];
const STANDSTILLS: readonly [TabStandstill, ...TabStandstill[]] = ['hangs', 'frozen', 'frozen and deaf'];
/** Most tabs are away for a moment, and some for long. */
const AWAY_MS: readonly [number, ...number[]] = [500, 2000, 10_000, 60_000, 300_000];

/** The same schedule, in some cases with tabs. */
export function withTabs({ seed, world, actions }: Plan): Plan {
  // Drawn from a stream of its own, so that the rest of a schedule stays the same.
  const random = new Random('tabs', seed);
  const connection = new Random('connection', seed);
  const versions = new Random('versions', seed);
  if (!random.chance(0.1)) return { seed, world, actions };
  const [first = 0, ...others] = Array.from({ length: world.devices }, () => random.pick(COUNTS));
  // One of them at least has two.
  const counts = [Math.max(2, first), ...others];
  const tabs: TabsPlan = {
    counts,
    late: random.chance(0.5) ? random.next() * 0.2 : 0,
    storageMs: random.pick([0, 2, 20]),
    untold: connection.chance(0.5) ? connection.next() * 0.1 : 0,
    older: versions.chance(0.2) ? 0.5 : 0,
  };
  const tabsByDevice = indexesOf(counts);
  const pick = (device: number): number => {
    const [own = device, ...further] = tabsByDevice[device] ?? [];
    return random.pick([own, ...further]);
  };
  const withMore = actions.flatMap((action): readonly Action[] => {
    // The users of a device work in all its tabs.
    const moved = 'device' in action ? { ...action, device: pick(action.device) } : action;
    return [moved, ...drawFurther(random, pick(random.between(0, world.devices - 1)))];
  });
  return { seed, world: { ...world, tabs }, actions: withMore };
}

/** By device: its own index, and those of its further tabs, which come behind all devices. */
function indexesOf(counts: readonly number[]): readonly (readonly number[])[] {
  let next = counts.length;
  return counts.map((count, device) => [device, ...Array.from({ length: Math.max(0, count - 1) }, () => next++)]);
}

function drawFurther(random: Random, device: number): readonly Action[] {
  const afterMs = Math.floor(random.next() ** 2 * 3000);
  const roll = random.next();
  if (roll < 0.06)
    return [{ afterMs, do: 'stopTab', device, how: random.pick(STANDSTILLS), forMs: random.pick(AWAY_MS) }];
  if (roll < 0.1) return [{ afterMs, do: 'closeTab', device, isTold: random.chance(0.5), forMs: random.pick(AWAY_MS) }];
  if (roll < 0.14) return [{ afterMs, do: random.chance(0.5) ? 'hide' : 'show', device }];
  if (roll < 0.16) return [{ afterMs, do: random.chance(0.5) ? 'pause' : 'sync', device }];
  if (roll < 0.19) return [{ afterMs, do: 'resolve', device, choice: random.pick(['mine', 'theirs', 'merged']) }];
  if (roll < 0.22) return [{ afterMs, do: 'answerDeadLetter', device, choice: random.pick(['retry', 'discard']) }];
  if (roll < 0.24) return [{ afterMs, do: 'crashAt', device, operation: random.between(1, 4), when: 'after' }];
  if (roll < 0.25) return [{ afterMs, do: 'openTab', device }];
  return roll < 0.253 ? [{ afterMs, do: 'signOut', device }] : [];
}
