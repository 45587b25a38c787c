/** Reads an answer that may come from anything that speaks HTTP, an application's own transport included. */
import { ownValue, type SyncMutationResult, type SyncPushResponse, type SyncServerChange } from '@objectql/sync-types';
import { operation, parseResult } from './parse-result.js';
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
 * The answer with its results in the order of `sentIds`, each with its `mutationId`. Results without ids, as protocol 1
 * has them, are matched by order. `reset: 'epoch'` comes without results, as nothing was executed. Properties that the
 * protocol does not name are left out.
 *
 * Throws `TransportError`: `refused` for an error body, `unreadable` for all else that is no complete answer. The caller
 * then knows nothing and sends the same again.
 */
export function parseAnswer(answer: unknown, sentIds: readonly string[]): ParsedAnswer {
  // A transport that only does `response.json()` hands an error's body on as if it were an answer.
  const error = ownValue(Object(answer), 'error');
  if (typeof error === 'object' && error !== null && !Object.hasOwn(Object(answer), 'results'))
    throw refusedError(error);
  try {
    const parsed = parseResponse(answer);
    if (parsed.reset === 'epoch' && parsed.results.length === 0) return { ...parsed, results: [] };
    return { ...parsed, results: matchResults(parsed.results, sentIds) };
  } catch (cause) {
    if (!(cause instanceof WireProblem)) throw cause;
    const message = `No sync server answered: $${cause.path} ${cause.message}. Check the URL, and what else answers there.`;
    throw new TransportError(message, { type: 'unreadable' }, { cause });
  }
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

const parseResponse = shape<SyncPushResponse>({
  results: listOf(parseResult),
  serverChanges: listOf(parseChange),
  checkpoint: text,
  protocol: optional(oneOf([2])),
  hasMore: optional(flag),
  serverTime: optional(instant),
  limits: optional(shape({ maxBodyBytes: counter, maxMutations: counter })),
  reset: optional(oneOf(['expired', 'epoch', 'scope'])),
});

function matchResults(results: readonly SyncMutationResult[], sentIds: readonly string[]): readonly MatchedResult[] {
  const resultById = new Map<string | undefined, MatchedResult>();
  for (const [index, result] of results.entries()) {
    const mutationId = result.mutationId ?? sentIds[index] ?? '';
    resultById.set(mutationId, { ...result, mutationId });
  }
  const matched = sentIds.flatMap((id) => resultById.get(id) ?? []);
  if (matched.length === sentIds.length && matched.length === results.length) return matched;
  throw new WireProblem(`must hold one result for each of the ${sentIds.length} mutations that were sent`);
}
