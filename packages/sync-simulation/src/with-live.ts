/** Gives devices of a schedule live updates, and draws the faults of their streams. */
import type { Action, LivePlan, Plan, StreamWay } from './plan.js';
import { Random } from './random.js';

/** As many devices as a schedule may have in the end. */
const DEVICES = [0, 1, 2, 3, 4];
/** Most devices have nothing in their way. */
const WAYS: readonly [StreamWay, ...StreamWay[]] = ['free', 'free', 'free', 'free', 'free', 'free', 'holds', 'ends'];

/** The same schedule, in some cases with live updates. */
export function withLive({ seed, world, actions }: Plan): Plan {
  // Drawn from a stream of its own, so that the rest of a schedule stays the same.
  const random = new Random('live updates', seed);
  if (!random.chance(0.2)) return { seed, world, actions };
  const maybe = (highest: number) => (random.chance(0.5) ? random.next() * highest : 0);
  const live: LivePlan = {
    ways: DEVICES.map(() => (random.chance(0.7) ? random.pick(WAYS) : null)),
    cut: maybe(0.2),
    silence: maybe(0.1),
  };
  const withMore = actions.flatMap((action): readonly Action[] => {
    const device = random.between(0, world.devices - 1);
    return [action, ...drawFurther(random, device)];
  });
  return { seed, world: { ...world, live }, actions: withMore };
}

function drawFurther(random: Random, device: number): readonly Action[] {
  const afterMs = 0;
  const roll = random.next();
  if (roll < 0.02) return [{ afterMs, do: 'expireSession', device }];
  if (roll < 0.03) return drawTunnels(random, device);
  if (roll < 0.05) return [{ afterMs, do: random.chance(0.5) ? 'hide' : 'show', device }];
  return roll < 0.06 ? [{ afterMs, do: 'stopServer', downMs: random.between(0, 20_000) }] : [];
}

/** The device's network comes and goes, as on a train: its streams stay open at the server, which hears of nothing. */
function drawTunnels(random: Random, device: number): readonly Action[] {
  return Array.from({ length: 8 }, (): readonly Action[] => [
    { afterMs: random.between(1000, 5000), do: 'goOffline', device },
    { afterMs: 100, do: 'goOnline', device },
  ]).flat();
}
