/** The JSON of mutations that are to be sent: written once, to be measured for a batch and then to go out in it. */
import type { MutationLogEntry } from '@objectql/sync-types';

/** By object, because an entry never changes: a changed one is another object. */
const textByMutation = new WeakMap<MutationLogEntry, string>();

/** The JSON of a mutation of the log, remembered as long as the entry is kept. */
export function rememberedText(mutation: MutationLogEntry): string {
  const text = mutationText(mutation);
  textByMutation.set(mutation, text);
  return text;
}

/** The JSON of any mutation: as remembered, or written anew for what is not of the log. */
export function mutationText(mutation: MutationLogEntry): string {
  return textByMutation.get(mutation) ?? JSON.stringify(mutation);
}
