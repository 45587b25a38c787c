/** Finds out who sends a request as ObjectStack's own REST interface does: by session, bearer token or API key. */
import { AS_SYSTEM, type DataEngine } from '@objectql/sync-types/kernel';
import type { Authenticate } from '../http/sync-endpoint.js';
import { SyncRequestError } from '../sync-request-error.js';
import { readFacts } from './engine-facts.js';
import { type MembershipResolver, membershipsOf } from './memberships.js';

/** The part of the service `auth` that sync needs. */
export interface AuthService {
  readonly api?: SessionApi;
  getApi?(): Promise<SessionApi>;
  isAuthGateActive?(): boolean;
}

interface SessionApi {
  getSession(request: { readonly headers: Headers }): Promise<unknown>;
}

/** The part of `@objectstack/core` that sync needs; some of it was added after 17.0. */
export interface IdentityCore {
  resolveAuthzContext(input: {
    readonly ql: unknown;
    readonly headers: Headers;
    readonly getSession: (headers: Headers) => Promise<unknown>;
    readonly tenancyPosture?: unknown;
  }): Promise<{ readonly userId?: string }>;
  assembleExecutionContext(input: Record<string, unknown>): object | undefined;
  normalizeAuthGate(user: unknown): unknown;
  effectiveTenancyPosture?(tenancy: unknown): unknown;
  isAuthzStoreUnavailableError?(error: unknown): boolean;
}

export interface EngineAuthenticateParts {
  readonly engine: DataEngine;
  readonly auth: AuthService;
  /** The service `tenancy`, if the kernel has one. */
  readonly tenancy: unknown;
  /** The service `rls-membership-resolver`, once the application has one. */
  readonly membership: () => MembershipResolver | undefined;
  readonly core: IdentityCore;
}

/** The principal has the user's id, and `context` holds the engine's execution context of that user. */
export function engineAuthenticate({ engine, auth, tenancy, membership, core }: EngineAuthenticateParts): Authenticate {
  return async ({ headers }) => {
    const api = auth.api ?? (await auth.getApi?.());
    if (!api) return null;
    const session = memoized(() => api.getSession({ headers }).catch(() => undefined));
    const authz = await core
      .resolveAuthzContext({
        ql: engine,
        headers,
        getSession: session,
        ...(tenancy && core.effectiveTenancyPosture ? { tenancyPosture: core.effectiveTenancyPosture(tenancy) } : {}),
      })
      .catch((error: unknown) => {
        if (!core.isAuthzStoreUnavailableError?.(error)) throw error;
        throw outage('Permissions', error);
      });
    if (!authz.userId) {
      // The platform answers the same if the session could not be read.
      await readFacts(engine, AS_SYSTEM).catch((error: unknown) => {
        throw outage('Sessions', error);
      });
      return null;
    }
    await refuseGated(auth, core, session);
    const context = core.assembleExecutionContext({
      authz,
      requestLocale: headers.get('accept-language') ?? undefined,
    });
    if (!context) return null;
    // Asked once for the request: if the resolver fails, the platform goes on as if there were no teams, and a device
    // would drop its records.
    const rlsMembership = await membershipsOf(membership(), { ...context }).catch((error: unknown) => {
      throw outage('Teams', error);
    });
    return { id: authz.userId, context: { ...context, rlsMembership } };
  };
}

/** An outage does not mean that nobody is signed in: the device waits and keeps its session. */
function outage(what: string, cause: unknown): SyncRequestError {
  return new SyncRequestError('BUSY', `${what} cannot be read now. Send the same request again.`, { cause });
}

/** An expired password or a missing second factor must be fixed where the user signs in. */
async function refuseGated(auth: AuthService, core: IdentityCore, session: () => Promise<unknown>): Promise<void> {
  if (!auth.isAuthGateActive?.()) return;
  const { user } = ((await session()) ?? {}) as { readonly user?: unknown };
  if (!core.normalizeAuthGate(user)) return;
  throw new SyncRequestError(
    'UNAUTHENTICATED',
    'This account has to be put in order before it may be used. Sign in again.',
  );
}

function memoized<T>(work: () => Promise<T>): () => Promise<T> {
  let done: Promise<T> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
