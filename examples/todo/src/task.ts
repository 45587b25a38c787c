/** A task, as the app reads it from a record. */
import type { JsonObject, LocalRecord } from '@objectql/plugin-sync';

export interface Task {
  readonly id: string;
  readonly title: string;
  readonly isDone: boolean;
  /** True until the server has all of it. */
  readonly isPending: boolean;
}

/** Reads a record; what another version of the app may have left out gets a default. */
export function taskOf({ recordId, data, isPending }: LocalRecord): Task {
  return { id: String(recordId), title: titleOf(data), isDone: data.done === true, isPending };
}

/** The title among a task's fields, or of a change of some of them. */
export function titleOf(data: JsonObject | null | undefined): string {
  return typeof data?.title === 'string' ? data.title : '';
}
