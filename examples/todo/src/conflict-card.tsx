/** A conflict, both sides beside each other, to be decided. */
import type { ParkedConflict, SyncPlugin } from '@objectql/plugin-sync';
import { type FormEvent, useId, useState } from 'react';
import { useAttempt } from './attempt.js';
import { titleOf } from './task.js';

interface ConflictCardProps {
  readonly sync: SyncPlugin;
  readonly parked: ParkedConflict;
  /** Called as soon as the user has decided. */
  readonly onDecided: () => void;
}

export function ConflictCard({ sync, parked, onDecided }: ConflictCardProps) {
  const attempt = useAttempt();
  const { serverRecord, clientMutation } = parked.conflict;
  const mine = clientMutation.operation === 'delete' ? null : titleOf(clientMutation.data);
  const theirs = serverRecord === null ? null : titleOf(serverRecord);
  const decide = (choice: 'mine' | 'theirs' | { readonly title: string }) => {
    attempt(() => sync.client.conflicts.resolve(parked.id, choice));
    onDecided();
  };
  return (
    <section className="card" aria-label={`Changed on two devices: ${mine ?? theirs}`}>
      <h3>Changed on two devices</h3>
      <p className="card-hint">You and another device changed the same task. Which one stays?</p>
      <div className="sides">
        <Side label="Yours" title={mine} whose="yours" onChoose={() => decide('mine')} />
        <Side label="On the server" title={theirs} whose="the server’s" onChoose={() => decide('theirs')} />
      </div>
      {mine !== null && theirs !== null && (
        <Merge suggestion={mine} onMerge={(title) => decide({ ...serverRecord, title })} />
      )}
    </section>
  );
}

interface SideProps {
  readonly label: string;
  /** `null` where the task was deleted. */
  readonly title: string | null;
  readonly whose: string;
  readonly onChoose: () => void;
}

function Side({ label, title, whose, onChoose }: SideProps) {
  return (
    <div className="side">
      <h4>{label}</h4>
      <p>{title ?? <em>Deleted</em>}</p>
      <button type="button" onClick={onChoose}>
        Keep<span className="hidden"> {whose}</span>
      </button>
    </div>
  );
}

/** A third way: one title out of both. */
function Merge({ suggestion, onMerge }: { readonly suggestion: string; readonly onMerge: (title: string) => void }) {
  const inputId = useId();
  const [title, setTitle] = useState(suggestion);
  const merge = (event: FormEvent) => {
    event.preventDefault();
    if (title.trim() !== '') onMerge(title.trim());
  };
  return (
    <form className="merge" onSubmit={merge}>
      <label htmlFor={inputId}>Or write one title out of both</label>
      <div className="merge-row">
        <input id={inputId} value={title} onChange={(event) => setTitle(event.target.value)} autoComplete="off" />
        <button type="submit">Use this</button>
      </div>
    </form>
  );
}
