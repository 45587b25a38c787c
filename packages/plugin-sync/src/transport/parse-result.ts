/** Reads what an answer says about one mutation. */
import {
  type ConflictKind,
  STRATEGY_NAMES,
  type SyncConflict,
  type SyncMutationResult,
  type WriteStamp,
} from '@objectql/sync-types';
import {
  counter,
  duration,
  flag,
  identifier,
  listOf,
  mapOf,
  nullable,
  number,
  oneOf,
  optional,
  type Parser,
  recordData,
  shape,
  text,
} from './wire-parser.js';

type ResultOf<Status> = Extract<SyncMutationResult, { readonly status: Status }>;

/** A conflict without what this client knows better: which of its mutations met it. */
type ReportedConflict = Omit<SyncConflict, 'objectName' | 'recordId' | 'clientMutation'>;

/** A result as an answer tells it. */
export type ReportedResult =
  | ResultOf<'applied'>
  | ResultOf<'rejected'>
  | (Omit<ResultOf<'conflict'>, 'conflict'> & { readonly conflict: ReportedConflict });

/** One result, whatever its status. */
export const parseResult: Parser<ReportedResult> = (value) => PARSERS[parseStatus(value).status](value);

/** Create, update or delete. */
export const operation = oneOf(['create', 'update', 'delete'] as const);

const parseStamp = shape<WriteStamp>({ time: number, logId: text, sequence: number });

const parseConflict = shape<ReportedConflict>({
  serverRecord: nullable(recordData),
  conflictingFields: listOf(text),
  suggestedResolution: optional(recordData),
  kind: optional(
    oneOf<ConflictKind>(['update-update', 'create-create', 'update-delete', 'delete-update', 'stale-incarnation']),
  ),
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
  conflict: shape<Extract<ReportedResult, { readonly status: 'conflict' }>>({
    ...outcome,
    status: oneOf(['conflict']),
    conflict: parseConflict,
  }),
  rejected: shape<ResultOf<'rejected'>>({
    ...outcome,
    status: oneOf(['rejected']),
    reason: text,
    code: optional(text),
    retryable: optional(flag),
    retryAfterMs: optional(duration),
  }),
};

const parseStatus = shape<{ readonly status: SyncMutationResult['status'] }>({
  status: oneOf(Object.keys(PARSERS) as (keyof typeof PARSERS)[]),
});
