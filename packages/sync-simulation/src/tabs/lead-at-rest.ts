/** At rest, one tab leads, and another one does as soon as it cannot. */
import type { Device } from '../device.js';
import type { World } from '../world.js';
import { AWAY_MS, callIn, changeIn, findOpenCall, findUnsent, HEARD_MS, SENT_MS, syncIn, within } from './at-rest.js';

/** What becomes of a leader, how it comes back, and how soon another tab leads. */
interface Loss {
  readonly name: string;
  readonly lose: (leader: Device) => void;
  readonly comeBack: (leader: Device) => void;
  readonly withinMs: number;
  /** True if it makes what is under way fail. */
  readonly isFailure?: boolean;
}

/** 1 s: "at once", with the time that a browser needs to notice. */
const AT_ONCE_MS = 1000;
/** 5 s: by then a leader that hangs is replaced. */
const HANGING_MS = 5000;
/** 5 s: a new leader reads what is stored, syncs, and opens a stream; a server that is restarted takes its time. */
const STREAM_MS = 5000;
/** 2 s: at its next question a tab hears that the leader is hidden. */
const HIDDEN_MS = 2000;
/** 10 s: the longest that changes which follow each other put off sending. */
const MAX_DEBOUNCE_MS = 10_000;
/** 5: writing is one of the first operations after a change. */
const MAX_OPERATIONS = 5;
/** 500 ms: longer than these take. */
const DYING_MS = 500;

const LOSSES: readonly Loss[] = [
  {
    name: 'cannot store anything',
    lose: (leader) => {
      leader.setFailing(true);
      changeIn(leader);
    },
    comeBack: (leader) => leader.setFailing(false),
    withinMs: HIDDEN_MS,
    isFailure: true,
  },
  {
    name: 'closes its client',
    lose: (leader) => void leader.plugin?.close(),
    comeBack: (leader) => {
      leader.crash(AWAY_MS);
      leader.start();
    },
    withinMs: AT_ONCE_MS,
  },
  {
    name: 'is closed',
    lose: (leader) => leader.crash(AWAY_MS),
    comeBack: (leader) => leader.start(),
    withinMs: AT_ONCE_MS,
  },
  { name: 'hangs', lose: (leader) => leader.stop('hangs'), comeBack: (leader) => leader.goOn(), withinMs: HANGING_MS },
  {
    name: 'freezes',
    lose: (leader) => leader.stop('frozen'),
    comeBack: (leader) => leader.goOn(),
    withinMs: AT_ONCE_MS,
  },
  {
    name: 'freezes and hears nothing',
    lose: (leader) => leader.stop('frozen and deaf'),
    comeBack: (leader) => leader.goOn(),
    withinMs: AT_ONCE_MS,
  },
  {
    name: 'is hidden',
    lose: (leader) => leader.setSeen(false),
    comeBack: (leader) => leader.setSeen(true),
    withinMs: HIDDEN_MS,
  },
];

/** What is wrong with who leads. */
export async function findWrongLead(tabs: readonly Device[], world: World): Promise<string | undefined> {
  if (tabs.length < 2) return undefined;
  const forgotten = await findForgotten(tabs, world);
  if (forgotten) return forgotten;
  for (const loss of LOSSES) {
    const wrong = await findUnled(loss, tabs, world);
    if (wrong) return wrong;
  }
  return undefined;
}

/** What a tab has written that died before it could tell is found. */
async function findForgotten(tabs: readonly Device[], world: World): Promise<string | undefined> {
  // Who may not read what they have written might have forgotten it again.
  if (world.plan.world.isAuthorized) return undefined;
  const dying = tabs.find(({ isLeading }) => !isLeading);
  if (!dying) return 'More than one tab leads.';
  const others = tabs.filter((tab) => tab !== dying);
  for (let operation = 1; operation <= MAX_OPERATIONS; operation++) {
    dying.crashAt(operation, 'after', AWAY_MS);
    const made = changeIn(dying);
    await world.runFor(DYING_MS);
    const isStored = dying.hasLogged(made.id);
    const find = async () => {
      const blind = others.find(({ app }) => isStored && !app?.knows(made));
      return blind && `${blind.name} has not found what ${dying.name} wrote before it died.`;
    };
    const wrong = await within(HEARD_MS, find, world);
    if (wrong) return wrong;
    dying.disarm();
    dying.start();
    await world.runFor(world.plan.world.debounceMs + SENT_MS);
    if (isStored) return undefined;
  }
  return `${dying.name} stores nothing.`;
}

async function findUnled(loss: Loss, tabs: readonly Device[], world: World): Promise<string | undefined> {
  const leaders = tabs.filter(({ isLeading }) => isLeading);
  const [leader] = leaders;
  if (!leader || leaders.length > 1) return `${leaders.length} tabs lead.`;
  const others = tabs.filter((tab) => tab !== leader);
  const [follower] = others;
  if (!follower) return undefined;
  const [settledBefore] = follower.app?.made.slice(-1) ?? [];
  // What it asks of the leader may be under way just then.
  changeIn(follower);
  const asked = syncIn(follower);
  await world.runFor(world.time.now() % 200);
  loss.lose(leader);
  const of = `${leader.name}, which led, ${loss.name}`;
  const unled = await within(loss.withinMs, async () => findNoLeader(others, of), world);
  if (unled) return unled;
  const unheard = await within(STREAM_MS, async () => findNoStream(others, of, world), world);
  if (unheard) return unheard;
  changeIn(follower);
  // A tab that cannot store announces each try. The others look, and put off what they are about to send.
  const debounceMs = loss.isFailure ? MAX_DEBOUNCE_MS : world.plan.world.debounceMs;
  const unsettled = await within(debounceMs + SENT_MS, async () => findUnsettled(others, of), world);
  if (unsettled) return unsettled;
  if (!asked.answer && !loss.isFailure)
    return `${of}, and ${follower.name} gets no answer to the sync that it asked for.`;
  const forgotten = settledBefore && (await findForgottenOutcome(settledBefore, follower, world));
  if (forgotten) return `${of}, and ${forgotten}`;
  loss.comeBack(leader);
  await world.runFor(HEARD_MS);
  // What it could not store is tried again within a minute, and then sent.
  return within(AWAY_MS + MAX_DEBOUNCE_MS + SENT_MS, async () => findUnsettled(tabs, of), world);
}

/** Whoever leads knows how what was settled before has ended. */
async function findForgottenOutcome(id: string, { name, plugin }: Device, world: World): Promise<string | undefined> {
  const asked = async () => (await plugin?.client.settled(id).catch(() => undefined))?.status;
  const status = await callIn(asked, world);
  return status ? undefined : `${name} does not learn how ${id} ended, which was settled.`;
}

function findNoLeader(others: readonly Device[], of: string): string | undefined {
  return others.some(({ isLeading }) => isLeading) ? undefined : `${of}, and no other tab leads.`;
}

/** The tab that leads holds a stream, if nothing is in its way, and no other one. */
function findNoStream(others: readonly Device[], of: string, world: World): string | undefined {
  if (others[0]?.way !== 'free') return undefined;
  const holding = others.filter(({ name }) => world.streams.servedTo(name) > 0);
  // The server may go on with as many streams of this user as it allows, for clients that are gone.
  const isPolling = others.some(({ isLeading, plugin }) => isLeading && plugin?.client.status.live === 'polling');
  if (isPolling && holding.length === 0) return undefined;
  if (holding.length === 1 && holding[0]?.isLeading) return undefined;
  return `${of}, and streams go to ${holding.map(({ name }) => name).join(' and ') || 'nobody'}.`;
}

function findUnsettled(others: readonly Device[], of: string): string | undefined {
  const wrong = findOpenCall(others) ?? findUnsent(others);
  return wrong && `${of}, and ${wrong}`;
}
