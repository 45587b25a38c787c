/** A change the server refused: why, and what can be done. */
import type { DeadLetter, SyncPlugin } from '@objectql/plugin-sync';
import { type FormEvent, useId, useState } from 'react';
import { useAttempt } from './attempt.js';
import { newTaskId } from './new-task-id.js';
import { titleOf } from './task.js';

interface RefusedCardProps {
  readonly sync: SyncPlugin;
  readonly letter: DeadLetter;
  /** Called as soon as the user has decided. */
  readonly onDecided: () => void;
}

export function RefusedCard({ sync, letter, onDecided }: RefusedCardProps) {
  const ids = { reason: useId(), input: useId() };
  const attempt = useAttempt();
  const { mutation, reason } = letter;
  const before = titleOf(mutation.data);
  const [title, setTitle] = useState(before);

  const sendAgain = async () => {
    if (title.trim() === before) return sync.client.deadLetters.retry(letter.id);
    const { records } = sync.getEngine('task');
    const data = { ...mutation.data, title: title.trim() };
    if (mutation.operation === 'create') records.create(newTaskId(), data);
    else await records.update(mutation.recordId, data);
    await sync.client.deadLetters.discard(letter.id);
  };

  const decide = (work: () => Promise<unknown>) => {
    onDecided();
    attempt(work);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    decide(sendAgain);
  };

  return (
    <section className="card" aria-label={`Not accepted: ${before}`}>
      <h3>Not accepted</h3>
      <p className="card-hint" id={ids.reason}>
        {reason}
      </p>
      <form className="merge" onSubmit={submit}>
        {mutation.operation === 'delete' ? (
          <p>You deleted this task.</p>
        ) : (
          <>
            <label htmlFor={ids.input}>Title</label>
            <input
              id={ids.input}
              value={title}
              onChange={(event) => setTitle(event.target.value)}
              aria-describedby={ids.reason}
              autoComplete="off"
            />
          </>
        )}
        <div className="card-actions">
          <button type="submit">{title.trim() === before ? 'Try again' : 'Send corrected'}</button>
          <button
            type="button"
            className="quiet"
            onClick={() => decide(() => sync.client.deadLetters.discard(letter.id))}
          >
            Discard
          </button>
        </div>
      </form>
    </section>
  );
}
