/** Reads the system's error codes off Node's errors. */

/** True when the system gave this code, e.g. `ENOENT`, as the reason. */
export function hasErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The outcome of `work`, `undefined` when the system refused it with this code. */
export async function unlessErrno<T>(code: string, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasErrno(error, code)) return undefined;
    throw error;
  }
}
