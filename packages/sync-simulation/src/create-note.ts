/** A change that nobody else makes and nothing refuses. */
import type { Device } from './device.js';

/** The user creates a note with this id, through the local data engine if there is one. */
export function createNote({ plugin, engine }: Device, recordId: string): void {
  const { app } = engine ?? {};
  if (app) app.engine.asApp(() => app.engine.insert('note', { id: recordId }, { context: {} })).catch(() => {});
  else plugin?.getEngine('note').records.create(recordId, {});
}
