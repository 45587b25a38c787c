/** Ids that sort by the time they were made, so that a list sorted by id is in the order of its making. */
import { systemPlatform } from '@objectql/plugin-sync';

export function newTaskId(): string {
  return systemPlatform.newId();
}
