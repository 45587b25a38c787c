/** All states that the server's records have had, in all of its histories. */
import type { ClientMeta } from '@objectql/plugin-sync';
import type { JsonObject } from '@objectql/sync-types';
import { readPlace } from './invariants/checkpoint.js';
import type { ServerTruth } from './server-truth.js';

/** A record's data, and the server's history in which it was that. */
interface State {
  readonly line: string;
  readonly data: JsonObject | null;
}

export class RecordHistory {
  readonly #states = new Map<string, readonly State[]>();

  /** Notes a record's state in a history. */
  take(name: string, { version, data }: Pick<State, 'data'> & { readonly version: number }, line: string): void {
    const key = `${name} ${version}`;
    this.#states.set(key, [...(this.#states.get(key) ?? []), { line, data }]);
  }

  /** A record's state at a version, in the history that a client with these facts knows, or in each that it may know. */
  statesOf(
    { name, version }: { readonly name: string; readonly version: number },
    { meta, truth }: { readonly meta: ClientMeta | undefined; readonly truth: ServerTruth },
  ): readonly (JsonObject | null)[] {
    const states = this.#states.get(`${name} ${version}`) ?? [];
    const isOfThisLine = knowsPresent(meta, truth);
    return states.flatMap(({ line, data }) => (isOfThisLine && line !== truth.line ? [] : [data]));
  }
}

/** True for a client that knew another history than the present one, and should have found that out. */
export function isOfLostFeed(before: ClientMeta | undefined, now: ClientMeta | undefined, truth: ServerTruth): boolean {
  const was = readPlace(before?.checkpoint);
  if (was === undefined || truth.isOfThisFeed(was)) return false;
  if (now?.checkpoint) return knowsPresent(now, truth);
  // The server tells a client without a checkpoint of no restore; only one that has begun another log knows of its loss.
  return now?.logId !== before?.logId;
}

/** True for a client that has lost in a power cut what it had heard of the server, and with it of a restore. */
export function hasGoneBack(before: ClientMeta | undefined, now: ClientMeta | undefined): boolean {
  const [was, is] = [readPlace(before?.checkpoint), readPlace(now?.checkpoint)];
  if (!was || !is) return false;
  // What a restored server has told is of a later epoch.
  return is.seen < was.seen && epochNumber(is.epoch) <= epochNumber(was.epoch);
}

function epochNumber(epoch: string): number {
  return Number(epoch.split('-')[1]);
}

/** True for a client that has seen the server's present history, and only this one. */
function knowsPresent(meta: ClientMeta | undefined, truth: ServerTruth): boolean {
  const at = readPlace(meta?.checkpoint);
  return at !== undefined && !meta?.walk && truth.isOfThisFeed(at);
}
