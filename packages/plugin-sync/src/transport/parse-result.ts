/** Reads what became of one mutation, as it stands in an answer. */
import {
  type ConflictKind,
  type MutationLogEntry,
  RETRYABLE_CODES,
  STRATEGY_NAMES,
  type SyncConflict,
  type SyncMutationResult,
  TERMINAL_CODES,
  type WriteStamp,
} from '@objectql/sync-types';
import {
  anyObject,
  counter,
  duration,
  flag,
  identifier,
  instant,
  listOf,
  mapOf,
  nullable,
  number,
  oneOf,
  optional,
  type Parser,
  recordData,
  recordId,
  shape,
  text,
  WireProblem,
} from './wire-parser.js';

type ResultOf<Status> = Extract<SyncMutationResult, { readonly status: Status }>;

/** One result, whatever its status. */
export const parseResult: Parser<SyncMutationResult> = (value, at) => {
  const { status } = anyObject(value, at) as { readonly status?: unknown };
  switch (oneOf(['applied', 'conflict', 'rejected'])(status, `${at}.status`)) {
    case 'applied':
      return parseApplied(value, at);
    case 'conflict':
      return parseConflicted(value, at);
    case 'rejected':
      return parseRejected(value, at);
  }
};

const outcome = { mutationId: optional(identifier), duplicate: optional(flag) };

const parseStamp = shape<WriteStamp>({ time: number, logId: text, sequence: number });

const parseAnyMutation = shape<MutationLogEntry>({
  id: identifier,
  objectName: identifier,
  recordId,
  operation: oneOf(['create', 'update', 'delete']),
  data: optional(recordData),
  timestamp: instant,
  clientId: identifier,
  sequence: counter,
  baseVersion: nullable(counter),
});

const parseMutation: Parser<MutationLogEntry> = (value, at) => {
  const mutation = parseAnyMutation(value, at);
  if (mutation.sequence < 1) throw new WireProblem(`${at}.sequence is 0; sequences start at 1`);
  if (mutation.operation === 'delete' && mutation.data) throw new WireProblem(`${at} is a delete and carries data`);
  return mutation;
};

const CONFLICT_KINDS = {
  'update-update': true,
  'create-create': true,
  'update-delete': true,
  'delete-update': true,
  'stale-incarnation': true,
} satisfies Readonly<Record<ConflictKind, true>>;

const parseConflict = shape<SyncConflict>({
  objectName: text,
  recordId,
  clientMutation: parseMutation,
  serverRecord: nullable(recordData),
  conflictingFields: listOf(text),
  suggestedResolution: optional(recordData),
  kind: optional(oneOf(Object.keys(CONFLICT_KINDS) as readonly ConflictKind[])),
  serverVersion: optional(counter),
  strategy: optional(oneOf([...STRATEGY_NAMES, 'custom'])),
  conflictFields: optional(listOf(text)),
  clientStamp: optional(parseStamp),
  serverStamps: optional(mapOf(parseStamp)),
  deletedStamp: optional(parseStamp),
});

const parseApplied = shape<ResultOf<'applied'>>({
  ...outcome,
  status: oneOf(['applied']),
  serverVersion: counter,
  record: optional(nullable(recordData)),
  droppedFields: optional(listOf(text)),
});

const parseConflicted = shape<ResultOf<'conflict'>>({
  ...outcome,
  status: oneOf(['conflict']),
  conflict: parseConflict,
});

const parseRejected = shape<ResultOf<'rejected'>>({
  ...outcome,
  status: oneOf(['rejected']),
  reason: text,
  code: optional(oneOf([...TERMINAL_CODES, ...RETRYABLE_CODES])),
  retryable: optional(flag),
  retryAfterMs: optional(duration),
});
