/** I3: what the user changes in one tab enters the log in that order, whatever other tabs write. */

/** The first mutation that came before one that was made earlier; those that were never stored do not count. */
export function findDisorder(made: readonly string[], sequenceById: ReadonlyMap<string, number>): string | undefined {
  let last = 0;
  for (const id of made) {
    const sequence = sequenceById.get(id);
    if (sequence === undefined) continue;
    if (sequence < last) return `${id} entered the log as #${sequence}, before #${last}, which was made earlier.`;
    last = sequence;
  }
  return undefined;
}
