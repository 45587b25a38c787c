/** Two runs, or two revisions in one run, side by side. */
import { caseKey } from '../case.js';
import { type Result, type Row, ratio, type Summary, summarize } from './result.js';
import { markdownTable } from './table.js';

/** For each case in both files what it took against the yardstick of its own run: the only thing two runs can compare. */
export function compareResults(before: Result, after: Result): string {
  const old = new Map(summarize(before.rows).map((line) => [nameOf(line), line]));
  const rows = summarize(after.rows).flatMap((line) => {
    const was = old.get(nameOf(line))?.timesYardstick;
    const is = line.timesYardstick;
    return was === undefined || is === undefined ? [] : [[line.key, line.contestant, was, is, is / was] as const];
  });
  const head = ['what', 'by', `× yardstick at ${before.revision}`, `at ${after.revision}`, 'after / before'];
  return markdownTable(
    head,
    rows.map(([key, contestant, ...numbers]) => [key, contestant, ...numbers.map((number) => number.toFixed(2))]),
  );
}

/** For each case that was run at two revisions in turn, how much longer it takes now than then. */
export function compareRevisions(rows: readonly Row[]): string {
  const lines = rows.flatMap((row) => {
    const then = rows.find(
      (other) =>
        other.revision !== undefined &&
        other.asked.contestant === row.asked.contestant &&
        caseKey(other.asked) === caseKey(row.asked),
    );
    if (!then || row.revision !== undefined) return [];
    return [[caseKey(row.asked), row.asked.contestant, then.revision ?? '', ratio(row, then).toFixed(2)]];
  });
  return markdownTable(['what', 'by', 'against', 'time now / time then'], lines);
}

function nameOf({ key, contestant }: Summary): string {
  return `${key} ${contestant}`;
}
