/** Waits for what another tab, process or thread does. */
import { vi } from 'vitest';

/** Asks until `check` no longer throws. The limit is far above what anything takes, since a busy machine is no fault. */
export function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, 20_000);
}
