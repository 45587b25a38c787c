/** What the client's sources are for, so that a reader sees what each promise costs. */
import { gzipSync } from 'node:zlib';
import { codeBySource } from './measure-bundle.js';

/** The sources of each duty, by their paths below `src`; of several duties the first counts. */
const DUTIES: Readonly<Record<string, RegExp>> = {
  'the log, and ids': /^log\/|(uuidv7|record-key)\.ts$/,
  'when to sync, and how it stands': /^(cycle\/(sync-state|sync-driver|failure-event|backoff|retry)|sync-status)\.ts$/,
  'one sync: batches, requests, repairs, holds': /^cycle\//,
  'taking answers in: outcomes, records, resets, one transaction': /^answer\//,
  'checking what comes from outside': /(wire-parser|parse-answer|parse-result|limits|json|bytes)\.ts$/,
  'deciding conflicts': /^conflicts\/|assert-never\.ts$|strategies\//,
  'what waits for the user: conflicts, dead letters': /^waiting\//,
  'local records, and watching them': /^records\/|record-map\.ts$/,
  'listeners that cannot stop sync': /^listeners\//,
  configuration: /(resolve-config|object-configs|check-options|sync-config)\.ts$/,
  'HTTP: deadlines, gzip, refusals': /^transport\/|error-code\.ts$/,
  'the storage in memory': /^storage\//,
  'the device: clock, network, timers': /^platform\//,
  'the engine, and how the parts are joined': /^(sync-client|sync-engine|sync-usage-error)\.ts$/,
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
