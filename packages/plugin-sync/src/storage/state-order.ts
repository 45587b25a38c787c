/** The order of a loaded state's lists, the same in every storage. */
import type { ClientState } from './client-storage.js';

/** Entries by their sequence; conflicts and dead letters by how long they wait. */
export function inOrder(state: ClientState): ClientState {
  return {
    meta: state.meta,
    entries: [...state.entries].sort((a, b) => a.mutation.sequence - b.mutation.sequence),
    conflicts: [...state.conflicts].sort((a, b) => a.parkedAt - b.parkedAt || compareText(a.id, b.id)),
    deadLetters: [...state.deadLetters].sort((a, b) => a.deadAt - b.deadAt || compareText(a.id, b.id)),
  };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : 1;
}
