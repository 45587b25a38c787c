/** One device: how sync stands, what waits for the user, and the tasks. */
import { useConflicts, useDeadLetters, useRecords } from '@objectql/plugin-sync/react';
import { useId, useRef } from 'react';
import { AddTask } from './add-task.js';
import { ConflictCard } from './conflict-card.js';
import type { Device } from './device.js';
import { NetworkToggle } from './network-toggle.js';
import { OverruledNotice } from './overruled-notice.js';
import { RefusedCard } from './refused-card.js';
import { StatusLine } from './status-line.js';
import { taskOf } from './task.js';
import { TaskList } from './task-list.js';

export function DevicePane({ device }: { readonly device: Device }) {
  const { sync, network, name } = device;
  const headingId = useId();
  const heading = useRef<HTMLHeadingElement>(null);
  // What was decided or deleted disappears, and with it the focus: a keyboard goes on from the top of this device.
  const focusTop = () => heading.current?.focus();
  const records = useRecords(sync, 'task');
  const conflicts = useConflicts(sync, 'task');
  const deadLetters = useDeadLetters(sync, 'task');
  return (
    <section className="pane" aria-labelledby={headingId}>
      <div className="pane-head">
        <h2 id={headingId} ref={heading} tabIndex={-1}>
          {name}
        </h2>
        <NetworkToggle network={network} />
      </div>
      <StatusLine sync={sync} isRead={records !== undefined} />
      <OverruledNotice sync={sync} onDecided={focusTop} />
      {conflicts.map((parked) => (
        <ConflictCard key={parked.id} sync={sync} parked={parked} onDecided={focusTop} />
      ))}
      {deadLetters.map((letter) => (
        <RefusedCard key={letter.id} sync={sync} letter={letter} onDecided={focusTop} />
      ))}
      <AddTask sync={sync} />
      {/* The newest first: what was just added is in sight. */}
      {records && <TaskList sync={sync} tasks={records.map(taskOf).toReversed()} onEmptied={focusTop} />}
    </section>
  );
}
