/** Reads an answer that may come from anything that speaks HTTP, an application's own transport included. */
import {
  STATUS_BY_CODE,
  type SyncMutationResult,
  type SyncPushResponse,
  type SyncServerChange,
} from '@objectql/sync-types';
import { parseRefusal } from './parse-refusal.js';
import { parseResult } from './parse-result.js';
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
  refuseErrorBody(answer);
  try {
    const parsed = parseResponse(answer, '$');
    if (parsed.reset === 'epoch' && parsed.results.length === 0) return { ...parsed, results: [] };
    return { ...parsed, results: matchResults(parsed.results, sentIds) };
  } catch (cause) {
    if (!(cause instanceof WireProblem)) throw cause;
    throw new TransportError(
      `The answer is not what a sync server answers: ${cause.message}. It was not used; check the URL, and what else answers there.`,
      { type: 'unreadable' },
      { cause },
    );
  }
}

const parseAnyChange = shape<SyncServerChange>({
  objectName: text,
  recordId,
  operation: oneOf(['create', 'update', 'delete']),
  data: optional(recordData),
  serverVersion: counter,
  timestamp: instant,
  origin: optional(shape({ logId: text, mutationId: text, sequence: counter })),
});

const parseChange: Parser<SyncServerChange> = (value, at) => {
  const change = parseAnyChange(value, at);
  if (change.operation !== 'delete' && !change.data)
    throw new WireProblem(`${at}.data is missing; only a delete has none`);
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
  const resultById = new Map<string, MatchedResult>();
  for (const [index, result] of results.entries()) {
    const mutationId = result.mutationId ?? sentIds[index];
    if (mutationId === undefined || !sentIds.includes(mutationId)) {
      throw new WireProblem(`$.results[${index}] is for a mutation that was not sent`);
    }
    if (resultById.has(mutationId)) throw new WireProblem(`$.results[${index}] is the second for one mutation`);
    resultById.set(mutationId, { ...result, mutationId });
  }
  return sentIds.map((id) => {
    const result = resultById.get(id);
    if (!result) throw new WireProblem(`$.results has no result for mutation ${id}`);
    return result;
  });
}

/** A transport that only does `response.json()` hands an error's body on as if it were an answer. */
function refuseErrorBody(answer: unknown): void {
  const refusal = parseRefusal(answer);
  if (!refusal || Object.hasOwn(Object(answer), 'results')) return;
  const { message, ...told } = refusal;
  throw new TransportError(message, { type: 'refused', status: told.code ? STATUS_BY_CODE[told.code] : 0, ...told });
}
