import type { SyncPlugin } from '@objectql/plugin-sync';
import { type FormEvent, useId, useState } from 'react';
import { useAttempt } from './attempt.js';
import { newTaskId } from './new-task-id.js';

/** A field and a button; what is added is there at once, with or without a network. */
export function AddTask({ sync }: { readonly sync: SyncPlugin }) {
  const inputId = useId();
  const [title, setTitle] = useState('');
  const attempt = useAttempt();
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (title.trim() === '') return;
    attempt(() => {
      sync.getEngine('task').records.create(newTaskId(), { title: title.trim(), done: false });
      setTitle('');
    });
  };
  return (
    <form className="add" onSubmit={add}>
      <label htmlFor={inputId} className="hidden">
        New task
      </label>
      <input
        id={inputId}
        value={title}
        onChange={(event) => setTitle(event.target.value)}
        placeholder="What needs doing?"
        autoComplete="off"
        enterKeyHint="done"
      />
      <button type="submit" className="primary">
        Add
      </button>
    </form>
  );
}
