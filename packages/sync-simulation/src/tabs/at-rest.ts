/** What the checks of tabs at rest have in common. */
import type { MutationLogEntry, SyncPushResponse } from '@objectql/sync-types';
import type { Device } from '../device.js';
import { isSame } from '../record-name.js';
import type { World } from '../world.js';
import type { Shown } from './tab-app.js';

/** 3 s: by then all tabs have heard whatever there is to hear. */
export const HEARD_MS = 3000;
/** 5 s: longer than a change, its answer and the news of it need without faults. */
export const SENT_MS = 5000;
/** A minute: longer than any check. */
export const AWAY_MS = 60_000;
/** A minute: longer than some pages of one change each take. */
export const CAUGHT_UP_MS = 60_000;
/** 50 ms: how often a check looks. */
const STEP_MS = 50;
/** 10 s: longer than reading takes. */
const READ_MS = 10_000;

/** What is stored, and shown alike in all tabs. */
export const LASTING = ['records', 'conflicts', 'deadLetters'] as const;

/** What is still wrong after that time. */
export async function within(
  ms: number,
  find: () => Promise<string | undefined>,
  world: World,
): Promise<string | undefined> {
  const until = world.time.now() + ms;
  let wrong = await find();
  while (wrong && world.time.now() < until && !world.verdict.first) {
    await world.runFor(STEP_MS);
    wrong = await find();
  }
  return wrong;
}

/** What a call ends with that needs some of the world's time. */
export async function callIn<T>(call: () => Promise<T>, world: World): Promise<T> {
  const until = world.time.now() + READ_MS;
  let isOver = false;
  const called = call().finally(() => {
    isOver = true;
  });
  called.catch(() => {});
  await world.runFor(0);
  while (!isOver) {
    if (world.time.now() >= until) throw new Error('What was called at rest does not end.');
    await world.runFor(STEP_MS);
  }
  return called;
}

/** A sync that a tab was asked for; `undefined` until it has ended. */
export interface AskedSync {
  answer: SyncPushResponse | null | undefined;
}

/** Asks a tab for a sync, which must end. */
export function syncIn({ plugin, app, name }: Device): AskedSync {
  if (!plugin || !app) throw new Error(`${name} is not running.`);
  const asked: AskedSync = { answer: undefined };
  const ended = plugin.syncAll().then((answer) => {
    asked.answer = answer;
  });
  app.expect('sync', ended);
  return asked;
}

/** The user of a tab makes a change that nobody else makes and nothing refuses, and waits for its outcome. */
export function changeIn(tab: Device): MutationLogEntry {
  const { plugin, app, name } = tab;
  if (!plugin || !app) throw new Error(`${name} is not running.`);
  const made = plugin.getEngine('note').records.create(`at rest in ${name}, change ${app.made.length}`, {});
  tab.made(made.id);
  app.noteMade(made.id);
  app.expect('settled', plugin.client.settled(made.id));
  return made;
}

/** A call in one of the tabs that has not ended. */
export function findOpenCall(tabs: readonly Device[]): string | undefined {
  for (const { name, app } of tabs) {
    const [open] = app?.open ?? [];
    if (open) return `${name} still waits: ${open}.`;
  }
  return undefined;
}

/** A tab in which something waits to be sent. */
export function findUnsent(tabs: readonly Device[]): string | undefined {
  const unsent = tabs.find(({ plugin }) => plugin?.client.status.pending !== 0);
  return unsent && `${unsent.name} has not sent everything: ${JSON.stringify(unsent.plugin?.client.status)}`;
}

/** What is shown and told in another way in two of the tabs. */
export async function findDifference(
  tabs: readonly Device[],
  world: World,
  parts: readonly (keyof Shown)[] = [...LASTING, 'status'],
): Promise<string | undefined> {
  const shown = await callIn(() => Promise.all(tabs.map(({ app }) => app?.shown())), world);
  const [first] = shown;
  for (const [index, { name, app }] of tabs.entries()) {
    for (const [how, said] of [
      ['shows', shown[index]],
      ['was told', app?.told()],
    ] as const) {
      const part = parts.find((one) => !isSame(said?.[one], first?.[one]));
      if (part)
        return `${name} ${how} ${JSON.stringify(said?.[part])} as ${part}, not ${JSON.stringify(first?.[part])}.`;
    }
  }
  return undefined;
}
