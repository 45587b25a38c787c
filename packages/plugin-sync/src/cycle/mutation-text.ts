/** The JSON of mutations to send: written once, measured for a batch, and then sent in it. */
import type { MutationLogEntry } from '@objectql/sync-types';

/** Keyed by object, because an entry never changes: a changed one is another object. */
const textByMutation = new WeakMap<MutationLogEntry, string>();

/** The JSON of a mutation of the log, remembered as long as the entry is kept. */
export function rememberedText(mutation: MutationLogEntry): string {
  const text = mutationText(mutation);
  textByMutation.set(mutation, text);
  return text;
}

/** The JSON of any mutation: the remembered one, or written anew for a mutation that is not from the log. */
export function mutationText(mutation: MutationLogEntry): string {
  return textByMutation.get(mutation) ?? JSON.stringify(mutation);
}
