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
  version,
  WireProblem,
} from './wire-parser.js';

type ResultOf<Status> = Extract<SyncMutationResult, { readonly status: Status }>;

/** One result, whatever its status. */
export const parseResult: Parser<SyncMutationResult> = (value) => PARSERS[parseStatus(value).status](value);

/** Create, update or delete. */
export const operation = oneOf(['create', 'update', 'delete'] as const);

const parseStamp = shape<WriteStamp>({ time: number, logId: text, sequence: number });

const parseAnyMutation = shape<MutationLogEntry>({
  id: identifier,
  objectName: identifier,
  recordId,
  operation,
  data: optional(recordData),
  timestamp: instant,
  clientId: identifier,
  sequence: counter,
  baseVersion: version,
});

const parseMutation: Parser<MutationLogEntry> = (value) => {
  const mutation = parseAnyMutation(value);
  if (mutation.sequence < 1) throw new WireProblem('has the sequence 0; sequences start at 1');
  if (mutation.operation === 'delete' && mutation.data) throw new WireProblem('is a delete and carries data');
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
  strategy: optional(oneOf([...STRATEGY_NAMES, 'custom'] as const)),
  conflictFields: optional(listOf(text)),
  clientStamp: optional(parseStamp),
  serverStamps: optional(mapOf(parseStamp)),
  deletedStamp: optional(parseStamp),
});

const outcome = { mutationId: optional(identifier), duplicate: optional(flag) };

const PARSERS = {
  applied: shape<ResultOf<'applied'>>({
    ...outcome,
    status: oneOf(['applied']),
    serverVersion: counter,
    record: optional(nullable(recordData)),
    droppedFields: optional(listOf(text)),
  }),
  conflict: shape<ResultOf<'conflict'>>({ ...outcome, status: oneOf(['conflict']), conflict: parseConflict }),
  rejected: shape<ResultOf<'rejected'>>({
    ...outcome,
    status: oneOf(['rejected']),
    reason: text,
    code: optional(oneOf([...TERMINAL_CODES, ...RETRYABLE_CODES])),
    retryable: optional(flag),
    retryAfterMs: optional(duration),
  }),
};

const parseStatus = shape<{ readonly status: SyncMutationResult['status'] }>({
  status: oneOf(Object.keys(PARSERS) as (keyof typeof PARSERS)[]),
});
