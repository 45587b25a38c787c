/** One device: how sync stands, what waits for the user, and the tasks. */
import { useConflicts, useDeadLetters, useRecords } from '@objectql/plugin-sync/react';
import { useId } from 'react';
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
  const records = useRecords(sync, 'task');
  const conflicts = useConflicts(sync, 'task');
  const deadLetters = useDeadLetters(sync, 'task');
  return (
    <section className="pane" aria-labelledby={headingId}>
      <div className="pane-head">
        <h2 id={headingId}>{name}</h2>
        <NetworkToggle network={network} />
      </div>
      <StatusLine sync={sync} />
      <OverruledNotice sync={sync} />
      {conflicts.map((parked) => (
        <ConflictCard key={parked.id} sync={sync} parked={parked} />
      ))}
      {deadLetters.map((letter) => (
        <RefusedCard key={letter.id} sync={sync} letter={letter} />
      ))}
      <AddTask sync={sync} />
      {/* The newest first: what was just added is in sight. */}
      {records && <TaskList sync={sync} tasks={records.map(taskOf).toReversed()} />}
    </section>
  );
}
