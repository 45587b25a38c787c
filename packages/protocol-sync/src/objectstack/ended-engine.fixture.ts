/** What a data engine leaves behind in a process that goes on to other tests. */
import type { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Lets go of an engine's storage for the transaction under way. Before Node 24 each promise of the process copies every such
 * storage that was ever used, so that after fifty kernels all code takes several times as long.
 */
export function letGoOf(engine: object): void {
  (engine as { readonly txStore?: AsyncLocalStorage<unknown> }).txStore?.disable();
}
