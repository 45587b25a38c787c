import type { SyncPlugin } from '@objectql/plugin-sync';
import { useAttempt } from './attempt.js';
import { Icon } from './icon.js';
import type { Task } from './task.js';
import { TaskTitle } from './task-title.js';
import { useEcho } from './use-echo.js';

interface TaskRowProps {
  readonly sync: SyncPlugin;
  readonly task: Task;
  readonly onDelete: () => void;
}

/** A task: ticked off, renamed in place, deleted. */
export function TaskRow({ sync, task, onDelete }: TaskRowProps) {
  const { records } = sync.getEngine('task');
  const { id, isPending } = task;
  const attempt = useAttempt();
  const [title, showTitle] = useEcho(task.title);
  const [isDone, showDone] = useEcho(task.isDone);
  const tick = () => {
    showDone(!isDone);
    attempt(
      () => records.update(id, { done: !isDone }),
      () => showDone(isDone),
    );
  };
  const rename = (renamed: string) => {
    showTitle(renamed);
    attempt(
      () => records.update(id, { title: renamed }),
      () => showTitle(title),
    );
  };
  const remove = () => {
    onDelete();
    attempt(() => records.delete(id));
  };
  return (
    <li className="task" data-done={isDone}>
      <input type="checkbox" checked={isDone} onChange={tick} aria-label={`${title}: done`} />
      <TaskTitle title={title} onRename={rename} />
      {isPending && (
        <span className="unsent" title="Not sent yet">
          <Icon name="clock" />
          <span className="hidden">Not sent yet</span>
        </span>
      )}
      <button type="button" className="icon-button" aria-label={`Delete ${title}`} onClick={remove}>
        <Icon name="cross" />
      </button>
    </li>
  );
}
