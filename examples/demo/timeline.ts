/** Prints what happens, who does it and when, so that a person can follow. */

const WIDTH_OF_WHO = 8;
const startedAt = performance.now();

/** A heading of the story. */
export function chapter(title: string): void {
  print(`\n${title}`);
}

/** One line of the story. */
export function line(who: string, text: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(2).padStart(5);
  print(`  ${seconds}s  ${who.padEnd(WIDTH_OF_WHO)} ${text}`);
}

/** Records side by side, one column for each replica. */
export function table(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows)
    print(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
