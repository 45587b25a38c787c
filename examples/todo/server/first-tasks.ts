/** What a new database begins with, so that there is something to play with. */
import type { SyncHandler } from '@objectql/protocol-sync';

const TITLES = ['Return the library books', 'Call Grandma about Sunday', 'Water the tomatoes'];

/** Adds the first tasks, the last of them done. The ids are fixed: a second time changes nothing. */
export async function addFirstTasks(handler: SyncHandler): Promise<void> {
  await handler.recordChanges(
    TITLES.map((title, index) => ({
      objectName: 'task',
      recordId: `00000000-0000-7000-8000-00000000000${index}`,
      operation: 'create',
      data: { title, done: index === 0 },
    })),
  );
}
