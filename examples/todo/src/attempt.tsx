/** What the user asks for and cannot be done is told, wherever it was asked for: no rejection is swallowed. */
import { createContext, type ReactNode, useContext, useMemo, useState } from 'react';
import { Icon } from './icon.js';

/** Does `work`, which may be asynchronous; where it fails, `undo` takes back what is shown already, and the user is told. */
export type Attempt = (work: () => unknown, undo?: () => void) => void;

const AttemptContext = createContext<Attempt | undefined>(undefined);

/** What the components below attempt with. */
export function useAttempt(): Attempt {
  const attempt = useContext(AttemptContext);
  if (!attempt) throw new Error('There is no AttemptProvider above this component.');
  return attempt;
}

/** Tells on top of its children what the last attempt of one of them failed with. */
export function AttemptProvider({ children }: { readonly children: ReactNode }) {
  const [failure, setFailure] = useState<string>();
  const attempt = useMemo<Attempt>(
    () => async (work, undo) => {
      setFailure(undefined);
      try {
        await work();
      } catch (error) {
        undo?.();
        setFailure(sayFailure(error));
      }
    },
    [],
  );
  return (
    <AttemptContext value={attempt}>
      <div role="alert">
        {failure !== undefined && <Failure text={failure} onDismiss={() => setFailure(undefined)} />}
      </div>
      {children}
    </AttemptContext>
  );
}

function Failure({ text, onDismiss }: { readonly text: string; readonly onDismiss: () => void }) {
  return (
    <div className="notice">
      <p>{text}</p>
      <button type="button" className="icon-button" aria-label="Dismiss" onClick={onDismiss}>
        <Icon name="cross" />
      </button>
    </div>
  );
}

/** What people may not understand is said in their words, decided by code; a storage's message tells them what helps. */
function sayFailure(error: unknown): string {
  const { code, message }: { readonly code?: unknown; readonly message?: unknown } = Object(error);
  switch (code) {
    case 'INVALID_MUTATION':
      return 'This was not saved: it is too large.';
    case 'UNKNOWN_RECORD':
      return 'This was not saved: the task has been deleted meanwhile.';
    case 'UNKNOWN_ID':
      return 'This has been decided already, in another tab.';
    default:
      return `This did not work. ${message ?? error}`;
  }
}
