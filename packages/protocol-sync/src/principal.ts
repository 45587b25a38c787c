/** Who is asking. */

/** What `authenticate` finds out about a caller. Add what `authorize` and resolvers need. */
export interface Principal {
  /** Stable and unique; a log belongs to the principal that first used it. */
  readonly id: string;
  readonly [claim: string]: unknown;
}

/** A `Principal`, or a value whose type is an interface, which TypeScript does not accept as a `Principal`. */
export type Identified = Principal | { readonly id: string };

/** The claims of a principal by its type. Unlike an interface, TypeScript accepts this as a `Principal` too. */
export type Claims<Caller> = { readonly [Claim in keyof Caller]: Caller[Claim] };

/** What is known about the sender of a request. */
export interface SyncContext {
  /** `null` or absent where nobody is authenticated. */
  readonly principal?: Identified | null | undefined;
  /** Aborted when the caller is gone: what is not yet committed is given up. */
  readonly signal?: AbortSignal | undefined;
}

/** Returns the same principal. Throws `TypeError` when its id is missing or no string, which a store would change. */
export function checkPrincipal(principal: Identified): Principal {
  if (typeof principal.id === 'string' && principal.id !== '') return principal;
  throw new TypeError("The principal's id must be a text that is not empty, e.g. String(user.id).");
}
