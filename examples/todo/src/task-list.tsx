import type { SyncPlugin } from '@objectql/plugin-sync';
import { useRef } from 'react';
import type { Task } from './task.js';
import { TaskRow } from './task-row.js';

interface TaskListProps {
  readonly sync: SyncPlugin;
  readonly tasks: readonly Task[];
  /** Called as soon as the user has deleted the last one. */
  readonly onEmptied: () => void;
}

/** The tasks, and how many are open. */
export function TaskList({ sync, tasks, onEmptied }: TaskListProps) {
  const list = useRef<HTMLUListElement>(null);
  if (tasks.length === 0) return <p className="empty">Nothing to do. Whatever you add works offline, too.</p>;
  const open = tasks.filter(({ isDone }) => !isDone).length;

  /** The keyboard goes on where it was: at the row that takes the deleted one's place. */
  const focusAfterDelete = (index: number) => {
    const buttons = list.current?.querySelectorAll<HTMLElement>('.task-title');
    const next = buttons?.[index + 1] ?? buttons?.[index - 1];
    if (next) next.focus();
    else onEmptied();
  };

  return (
    <>
      <ul className="tasks" ref={list} aria-label="Tasks">
        {tasks.map((task, index) => (
          <TaskRow key={task.id} sync={sync} task={task} onDelete={() => focusAfterDelete(index)} />
        ))}
      </ul>
      <p className="count">
        {open === 0 ? 'All done' : `${open} open`} · {tasks.length - open} done
      </p>
    </>
  );
}
