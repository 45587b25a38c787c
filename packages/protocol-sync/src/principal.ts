/** Who is asking. */

/** What `authenticate` finds out about a caller. Add what `authorize` and resolvers need. */
export interface Principal {
  /** Stable and unique; a log belongs to the principal that first used it. */
  readonly id: string;
  readonly [claim: string]: unknown;
}

/** A `Principal`, or a value of an interface, which TypeScript does not take for one. */
export type Identified = Principal | { readonly id: string };

/** The claims of a principal as its type says them. Unlike an interface, TypeScript takes this for a `Principal` too. */
export type Claims<Caller> = { readonly [Claim in keyof Caller]: Caller[Claim] };

/** What the surroundings know about a request. */
export interface SyncContext {
  /** `null` or absent where nobody is authenticated. */
  readonly principal?: Identified | null | undefined;
  /** Aborted when the caller is gone: what is not yet committed is given up. */
  readonly signal?: AbortSignal | undefined;
}

/** The same principal. Throws `TypeError` for one without an id, or with one that is no text, which a store would make another of. */
export function checkPrincipal(principal: Identified): Principal {
  if (typeof principal.id === 'string' && principal.id !== '') return principal;
  throw new TypeError("The principal's id must be a text that is not empty, e.g. String(user.id).");
}
