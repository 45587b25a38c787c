/** One schedule, from its first action until everything must have settled. */
import { perform } from './perform.js';
import type { Plan } from './plan.js';
import { endOfTurn } from './platform/turn.js';
import { Random } from './random.js';
import { settle } from './settle.js';
import type { Violation } from './violation.js';
import { type RunOptions, World } from './world.js';

/** The result of a schedule. */
export interface Outcome {
  readonly violation: Violation | undefined;
  readonly trace: readonly string[];
  /** Mutations that users made. */
  readonly mutations: number;
  readonly events: number;
}

/** 3 minutes: several tries, including their delays. */
const TAIL_MS = 180_000;

/** Runs a schedule. The same plan gives the same outcome, event by event. */
export async function runPlan(plan: Plan, options: RunOptions = {}): Promise<Outcome> {
  const world = new World(plan, options);
  try {
    await run(world);
  } catch (error) {
    world.verdict.report('crash', error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  return { violation: world.verdict.first, trace: world.trace, mutations: world.mutations, events: world.events };
}

async function run(world: World): Promise<void> {
  const { seed, actions } = world.plan;
  for (const device of world.devices) device.start();
  for (const action of actions) {
    await world.runFor(action.afterMs);
    if (world.verdict.first) return;
    world.log(`· ${JSON.stringify(action)}`);
    await perform(action, world);
    await endOfTurn();
    world.check();
  }
  // The last changes must be sent under faults as well.
  await world.runFor(new Random(seed, 'tail').between(0, TAIL_MS));
  if (!world.verdict.first) await settle(world);
}
