/** Tells from the data engine's errors whether a transaction met another one in its way. */

/** True when the transaction only lost a race against another one, and may win when it is run again. */
export function isContention(error: unknown): boolean {
  return codesOf(error).some((code) => CONTENTION.test(code));
}

/** True when another transaction kept a lock for longer than PostgreSQL's lock timeout. */
export function isLockTimeout(error: unknown): boolean {
  return codesOf(error).includes('55P03');
}

const CONTENTION = /^(40001|40P01|55P03|SQLITE_BUSY.*)$/;

/** The codes of an error and its causes, which may lead back to it: drivers wrap the database's error. */
function codesOf(error: unknown): readonly string[] {
  const codes: string[] = [];
  const seen = new Set<unknown>();
  for (let next = error; typeof next === 'object' && next !== null && !seen.has(next); ) {
    seen.add(next);
    const { code, cause } = next as { readonly code?: unknown; readonly cause?: unknown };
    if (typeof code === 'string') codes.push(code);
    next = cause;
  }
  return codes;
}
