/** I6: a checkpoint never passes a change that its client has not stored. */
import type { ServerTruth } from '../server-truth.js';
import type { Shadow } from '../shadow.js';

/** A checkpoint's parts, read by the simulation itself. */
export interface Place {
  readonly epoch: string;
  readonly place: number;
  readonly since: number;
  readonly scope: string;
  /** The feed's head when it was made. */
  readonly seen: number;
}

/** Reads a checkpoint; `undefined` for a malformed one. */
export function readPlace(checkpoint: string | null | undefined): Place | undefined {
  const [version, epoch, place, since, scope, seen] = checkpoint?.split('.') ?? [];
  if (version !== '2' || epoch === undefined) return undefined;
  const scanned = Number(place);
  return { epoch, place: scanned, since: Number(since), scope: scope ?? '', seen: Number(seen ?? scanned) };
}

/** The first record up to the device's checkpoint that the device has missed. */
export function findMissedChange(
  { meta, records }: Pick<Shadow, 'meta' | 'records'>,
  truth: Pick<ServerTruth, 'isOfThisFeed' | 'records'>,
  mayRead: (record: { readonly objectName: string; readonly data: ServerTruthData }) => boolean,
): string | undefined {
  const at = readPlace(meta?.checkpoint);
  if (!at || !truth.isOfThisFeed(at)) return undefined;
  for (const [name, record] of truth.records) {
    if (record.place > at.place || !mayRead(record)) continue;
    const own = records.get(name);
    const isMissed = record.data === null ? own && own.version < record.version : !own || own.version < record.version;
    if (!isMissed) continue;
    const stands = own ? `has v${own.version}` : 'has none';
    return `Checkpoint ${meta?.checkpoint} passes ${name} v${record.version} at place ${record.place}: the device ${stands}.`;
  }
  return undefined;
}

type ServerTruthData =
  ServerTruth['records'] extends Map<string, infer Item extends { readonly data: unknown }> ? Item['data'] : never;
