/** What the client's sources are for, so that a reader sees what each promise costs. */
import { gzipSync } from 'node:zlib';
import { codeBySource } from './measure-bundle.js';

/** The sources of each duty, by the ends of their paths. */
const DUTIES: Readonly<Record<string, RegExp>> = {
  'the log, and ids':
    /(client-log|log-change|pending-entries|mutation-logger|background-saver|turn-queue|uuidv7|new-mutation|record-key)\.ts$/,
  'when to sync, and how it stands': /(sync-state|sync-driver|sync-status|failure-event|backoff)\.ts$/,
  'one sync: batches, requests, repairs, holds':
    /(sync-cycle|asked|exchange|select-batch|mutation-text|whole-answer|record-holds|walk)\.ts$/,
  'taking answers in: outcomes, records, resets, one transaction':
    /(answer-intake|store-answer|plan-answer|outcome-plan|settlements|record-drafts|record-map)\.ts$/,
  'checking what comes from outside': /(wire-parser|parse-answer|parse-result|limits|json)\.ts$/,
  'deciding conflicts':
    /(conflict-resolver|conflict-contest|decide-conflicts|follow-up|assert-never|strategies\/[a-z-]+)\.ts$/,
  'what waits for the user: conflicts, dead letters': /(conflict-list|dead-letter-list|user-list|waiting-items)\.ts$/,
  'local records, and watching them': /(local-records|object-records|record-watch|rebase)\.ts$/,
  'listeners that cannot stop sync': /(listeners|subscribers|settle-within)\.ts$/,
  configuration: /(resolve-config|object-configs|check-options|sync-config)\.ts$/,
  'HTTP: deadlines, gzip, refusals':
    /(transport\/(http-transport|read-answer|deadline|request-body|refused-error|retry-after|transport)|as-transport-error|error-code)\.ts$/,
  'the storage in memory':
    /storage\/(client-storage|memory-[a-z]+|frozen-copy|state-order|check-expected|storage-error)\.ts$/,
  'the device: clock, network, timers': /(system-platform|keep-stored|page-freeze)\.ts$/,
  'the engine, and how the parts are joined': /(sync-client|sync-engine|sync-usage-error)\.ts$/,
};

/** The duty of a source; `undefined` for one that belongs to none, which is to be changed. */
export function dutyOf(path: string): string | undefined {
  return Object.keys(DUTIES).find((duty) => DUTIES[duty]?.test(path));
}

/**
 * Compressed bytes of a module's bundle by duty, the heaviest first: how much smaller it would be without it. Less than
 * the whole in sum, because what several duties have in common, as names and turns of phrase, goes with the last of them.
 */
export async function weighDuties(code: string): Promise<ReadonlyMap<string, number>> {
  const sources = [...(await codeBySource(code))];
  const gzippedWithout = (left: string | undefined) => {
    const kept = sources.filter(([path]) => left === undefined || dutyOf(path) !== left);
    return gzipSync(kept.map(([, minified]) => minified).join(''), { level: 9 }).length;
  };
  const whole = gzippedWithout(undefined);
  const weights = Object.keys(DUTIES).map((duty) => [duty, whole - gzippedWithout(duty)] as const);
  return new Map(weights.sort(([, a], [, b]) => b - a));
}
