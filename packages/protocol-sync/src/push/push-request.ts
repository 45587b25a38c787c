/** Parses a push: the envelope as a whole, and each mutation by itself, so that a malformed one harms no other. */
import type { MutationLogEntry, RejectionCode, SyncPullRequest, SyncPushRequest } from '@objectql/sync-types';
import { isJsonWithin } from '@objectql/sync-types';
import {
  identifierSchema,
  isMutationLogEntry,
  mutationLogEntrySchema,
  syncPullRequestSchema,
  syncPushRequestSchema,
} from '@objectql/sync-types/schema';
import type { z } from 'zod';
import { type Checkpoint, parseCheckpoint } from '../feed/checkpoint.js';
import { SERVER_LOG_ID } from '../records/record-state.js';
import type { ServerLimits } from '../server-limits.js';
import { SyncRequestError } from '../sync-request-error.js';

/** A mutation that can be decided, or why it cannot. */
export type PushItem =
  | { readonly mutation: MutationLogEntry }
  | { readonly mutationId?: string; readonly code: RejectionCode; readonly reason: string };

export interface PushRequest {
  readonly clientId: string;
  /** `null` for a protocol-1 client. */
  readonly logId: string | null;
  readonly protocol: 1 | 2;
  readonly checkpoint: Checkpoint | null;
  /** Epoch milliseconds by the client's clock; `undefined` when the client does not send it. */
  readonly sentAt: number | undefined;
  readonly limit: number;
  readonly objects: readonly string[] | undefined;
  readonly except: readonly string[] | undefined;
  readonly pull: boolean;
  readonly items: readonly PushItem[];
}

/**
 * 10,000: twice what fits in a body. Each item is answered, and the answer to half a million empty ones took 70 MB.
 */
const MAX_ANSWERED = 10_000;
/** Keeps protocol-1 lineages apart from log ids, which may not begin with it. */
export const CLIENT_LINEAGE_PREFIX = 'client:';

/** Parses the body of a push, or throws `SyncRequestError` naming what is wrong with the envelope. */
export function parsePush(body: unknown, limits: ServerLimits): PushRequest {
  const envelope = parseEnvelope(syncPushRequestSchema, body);
  const most = Math.max(limits.maxMutations, MAX_ANSWERED);
  if (envelope.mutations.length > most) {
    throw new SyncRequestError('TOO_LARGE', `The push has more than ${most} mutations. Send them in parts.`);
  }
  const items = envelope.mutations.map((mutation, index) =>
    index < limits.maxMutations
      ? parseMutation(mutation, envelope, limits)
      : {
          ...idOf(mutation),
          code: 'BATCH_TOO_LARGE' as const,
          reason: `At most ${limits.maxMutations} mutations are taken in one push. Send the rest in the next.`,
        },
  );
  return { ...parseShared(envelope, limits), pull: envelope.pull ?? true, items: refuseRepeatedSequences(items) };
}

/** Parses the body of a pull. */
export function parsePull(body: unknown, limits: ServerLimits): PushRequest {
  return { ...parseShared(parseEnvelope(syncPullRequestSchema, body), limits), pull: true, items: [] };
}

function parseEnvelope<T>(schema: z.ZodType<T>, body: unknown): T {
  // The schema would read properties that somebody has added to `Object.prototype` as keys of every request.
  const own: { readonly protocol?: unknown } = { __proto__: null, ...Object(body) };
  // First: it says why whatever else is not as the schema expects.
  if (typeof own.protocol === 'number' && own.protocol > 2) {
    const message = `The client speaks protocol ${own.protocol}, this server only 1 and 2. Update the server.`;
    throw new SyncRequestError('MALFORMED', message);
  }
  const parsed = schema.safeParse(own);
  if (!parsed.success) throw new SyncRequestError('MALFORMED', `The request is malformed: ${describe(parsed.error)}.`);
  return parsed.data;
}

function parseShared(envelope: SyncPullRequest, limits: ServerLimits): Omit<PushRequest, 'pull' | 'items'> {
  const { clientId, lastCheckpoint, objects, except, sentAt } = envelope;
  const logId = envelope.logId ?? null;
  if (logId !== null && (logId === SERVER_LOG_ID || logId.startsWith(CLIENT_LINEAGE_PREFIX))) {
    throw new SyncRequestError('MALFORMED', 'The request is malformed: logId is reserved. Use a random id.');
  }
  return {
    clientId,
    logId,
    protocol: envelope.protocol ?? 1,
    checkpoint: checkpointOf(lastCheckpoint),
    sentAt: sentAt === undefined ? undefined : Date.parse(sentAt),
    limit: Math.min(envelope.limit ?? limits.maxPageRecords, limits.maxPageRecords),
    objects,
    except,
  };
}

/** The place that a client names. Throws `SyncRequestError` for a text that no server has made, rather than guess. */
export function checkpointOf(text: string | null): Checkpoint | null {
  const checkpoint = text === null ? null : parseCheckpoint(text);
  if (checkpoint !== undefined) return checkpoint;
  throw new SyncRequestError(
    'INVALID_CHECKPOINT',
    'lastCheckpoint was not made by this server. Send null to start over.',
  );
}

function parseMutation(
  value: unknown,
  { clientId, logId }: Pick<SyncPushRequest, 'clientId' | 'logId'>,
  limits: ServerLimits,
): PushItem {
  if (!isMutationLogEntry(value)) {
    const { error } = mutationLogEntrySchema.safeParse(value);
    return { ...idOf(value), code: 'INVALID', reason: error ? `${describe(error)}.` : 'it does not fit the schema.' };
  }
  const mutation = value;
  // A log may contain several names of its device: apps may lose the name they keep, and each tab makes its own.
  if (logId === undefined && mutation.clientId !== clientId) {
    return { ...idOf(value), code: 'INVALID', reason: 'clientId is not that of the request.' };
  }
  if (mutation.data && !isJsonWithin(mutation.data, limits.maxRecordBytes)) {
    return { ...idOf(value), code: 'TOO_LARGE', reason: `data is larger than ${limits.maxRecordBytes} bytes.` };
  }
  return { mutation };
}

function refuseRepeatedSequences(items: readonly PushItem[]): readonly PushItem[] {
  if (areRising(items)) return items;
  const idBySequence = new Map<number, string>();
  return items.map((item) => {
    if (!('mutation' in item)) return item;
    const { id, sequence } = item.mutation;
    const first = idBySequence.get(sequence) ?? id;
    idBySequence.set(sequence, first);
    if (first === id) return item;
    return { mutationId: id, code: 'INVALID', reason: `sequence ${sequence} stands twice in this request.` };
  });
}

/** True for the sequences of a well-behaved client. */
function areRising(items: readonly PushItem[]): boolean {
  let last = 0;
  for (const item of items) {
    if (!('mutation' in item)) continue;
    const { sequence } = item.mutation;
    if (sequence <= last) return false;
    last = sequence;
  }
  return true;
}

/** The id under which a malformed mutation can still be answered, if it has one that a client can read. */
function idOf(value: unknown): { mutationId?: string } {
  const { data: mutationId } = identifierSchema.safeParse((Object(value) as { id?: unknown }).id);
  return mutationId === undefined ? {} : { mutationId };
}

/** The first problem, as `path: what`. */
function describe(error: z.ZodError): string {
  const issue = error.issues[0];
  if (!issue) return 'it does not fit the schema';
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`;
}
