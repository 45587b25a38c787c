/** What of the user's changes was overruled by a later one: decided without asking, but never in silence. */
import type { DroppedFields, SyncPlugin } from '@objectql/plugin-sync';
import { useEffect, useState } from 'react';
import { Icon } from './icon.js';
import { titleOf } from './task.js';

interface OverruledNoticeProps {
  readonly sync: SyncPlugin;
  readonly onDecided: () => void;
}

export function OverruledNotice({ sync, onDecided }: OverruledNoticeProps) {
  const [overruled, setOverruled] = useState<readonly DroppedFields[]>([]);
  useEffect(() => {
    const engine = sync.getEngine('task');
    const listener = {
      onDropped: (dropped: readonly DroppedFields[]) => setOverruled((known) => [...known, ...dropped]),
    };
    engine.addListener(listener);
    return () => engine.removeListener(listener);
  }, [sync]);
  const dismiss = (mutation: DroppedFields['mutation']) => {
    setOverruled(overruled.filter((other) => other.mutation !== mutation));
    onDecided();
  };
  return overruled.map(({ mutation, droppedFields }) => (
    <div key={mutation.id} className="notice">
      <p role="status">{sayOverruled(mutation, droppedFields)}</p>
      <button type="button" className="icon-button" aria-label="Dismiss" onClick={() => dismiss(mutation)}>
        <Icon name="cross" />
      </button>
    </div>
  ));
}

function sayOverruled({ operation, data }: DroppedFields['mutation'], fields: readonly string[]): string {
  if (operation === 'delete') return 'A task you deleted is back: another device changed it later.';
  const what = fields.includes('title')
    ? `Your title “${titleOf(data)}”`
    : `Ticking a task ${data?.done ? 'off' : 'back on'}`;
  return `${what} was overruled by a later change on another device.`;
}
