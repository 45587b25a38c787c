/** Reads an answer from anything that speaks HTTP, an application's own transport included. */
import {
  type MutationLogEntry,
  ownValue,
  type SyncMutationResult,
  type SyncPushResponse,
  type SyncServerChange,
} from '@objectql/sync-types';
import { operation, parseResult, type ReportedResult } from './parse-result.js';
import { refusedError } from './refused-error.js';
import { TransportError } from './transport.js';
import {
  counter,
  flag,
  instant,
  listOf,
  oneOf,
  optional,
  type Parser,
  parseClaimed,
  parseOr,
  recordData,
  recordId,
  shape,
  text,
  WireProblem,
} from './wire-parser.js';

/** An answer's result whose mutation is known. */
export type MatchedResult = SyncMutationResult & { readonly mutationId: string };

/** An answer that is complete: one result for each mutation sent, in their order. */
export type ParsedAnswer = Omit<SyncPushResponse, 'results'> & { readonly results: readonly MatchedResult[] };

/**
 * The answer with its results in the order of `sent`, each with its `mutationId`. Results without ids, as protocol 1 has
 * them, are matched by order; a conflict is given the mutation as it was sent, whatever the server says of it.
 * `reset: 'epoch'` comes without results, as nothing was executed. Properties that the protocol does not name are left out.
 *
 * Throws `TransportError`: `refused` for an error body, `unreadable` for all else that is no complete answer. The caller
 * then knows nothing and sends the same again.
 */
export function parseAnswer(answer: unknown, sent: readonly MutationLogEntry[]): ParsedAnswer {
  // A transport that only calls `response.json()` passes on an error's body as an answer.
  const error = ownValue(Object(answer), 'error');
  if (typeof error === 'object' && error !== null && !Object.hasOwn(Object(answer), 'results'))
    throw refusedError(error);
  return parseOr(
    () => {
      const parsed = parseClaimed(parseResponse, answer);
      const wasExecuted = parsed.reset !== 'epoch' || parsed.results.length > 0;
      return { ...parsed, results: wasExecuted ? matchResults(parsed.results, sent) : [] };
    },
    (cause) => {
      const protocol = ownValue(Object(answer), 'protocol');
      const message =
        typeof protocol === 'number' && protocol > 2
          ? 'The server speaks a newer protocol: update this app.'
          : `No sync server answered: $${cause.path} ${cause.message}. Check the URL, and what else answers there.`;
      return new TransportError(message, { type: 'unreadable' }, { cause });
    },
  );
}

const parseAnyChange = shape<SyncServerChange>({
  objectName: text,
  recordId,
  operation,
  data: optional(recordData),
  serverVersion: counter,
  timestamp: instant,
  origin: optional(shape({ logId: text, mutationId: text, sequence: counter })),
});

const parseChange: Parser<SyncServerChange> = (value) => {
  const change = parseAnyChange(value);
  if (change.operation !== 'delete' && !change.data) throw new WireProblem('has no data; only a delete has none');
  return change;
};

const parseResponse = shape<Omit<SyncPushResponse, 'results'> & { readonly results: readonly ReportedResult[] }>({
  results: listOf(parseResult),
  serverChanges: listOf(parseChange),
  checkpoint: text,
  protocol: optional(oneOf([2])),
  hasMore: optional(flag),
  serverTime: optional(instant),
  limits: optional(shape({ maxBodyBytes: counter, maxMutations: counter })),
  reset: optional(oneOf(['expired', 'epoch', 'scope'])),
});

function matchResults(results: readonly ReportedResult[], sent: readonly MutationLogEntry[]): readonly MatchedResult[] {
  const resultById = new Map(results.map((result, index) => [result.mutationId ?? sent[index]?.id, result]));
  const matched = sent.flatMap((mutation) => {
    const result = resultById.get(mutation.id);
    return result ? [matchedResult(result, mutation)] : [];
  });
  if (matched.length === sent.length && matched.length === results.length) return matched;
  throw new WireProblem(`must hold one result for each of the ${sent.length} mutations that were sent`);
}

function isMatched<Result extends ReportedResult>(result: Result): result is Result & { readonly mutationId: string } {
  return result.mutationId !== undefined;
}

function matchedResult(result: ReportedResult, clientMutation: MutationLogEntry): MatchedResult {
  const { id: mutationId, objectName, recordId } = clientMutation;
  // Nearly always the id is there already.
  if (result.status !== 'conflict') return isMatched(result) ? result : { ...result, mutationId };
  return { ...result, mutationId, conflict: { ...result.conflict, objectName, recordId, clientMutation } };
}
