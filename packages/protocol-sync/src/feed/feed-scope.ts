/** Which part of the feed a client walks: the objects it wants, and what its user may read. */
import { createHash } from 'node:crypto';
import type { Principal } from '../principal.js';
import type { PushRequest } from '../push/push-request.js';
import type { Authorize } from '../rules/authorize.js';

/** The objects whose changes are wanted: only these, or all but those. */
interface WantedObjects {
  readonly objects: readonly string[] | undefined;
  readonly except: readonly string[];
}

/** The wanted objects among those that the server syncs; all when `undefined`. */
export function wantedObjects(
  { objects, except = [] }: PushRequest,
  synced: readonly string[] | undefined,
): WantedObjects['objects'] {
  const wanted = objects && synced ? objects.filter((objectName) => synced.includes(objectName)) : (objects ?? synced);
  return wanted?.filter((objectName) => !except.includes(objectName));
}

/** What the caller's view of the feed depends on; a device that changes hands starts its walk anew. */
export async function rightsOf({ read, scope }: Authorize, principal: Principal | null): Promise<string | undefined> {
  return read || scope ? JSON.stringify([principal?.id ?? null, (await scope?.(principal)) ?? null]) : undefined;
}

/** 16 bytes of a digest are enough to notice that a client asks for something else than before. */
export function scopeDigest({ objects, except }: WantedObjects, rights: string | undefined): string {
  if (objects === undefined && except.length === 0 && rights === undefined) return '';
  // If the wanted objects are known by name, naming the unwanted ones adds nothing.
  const named = objects ? [sorted(objects), rights ?? null] : [null, rights ?? null, ...sorted(except)];
  return createHash('sha256').update(JSON.stringify(named)).digest('base64url').slice(0, 22);
}

function sorted(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort();
}
