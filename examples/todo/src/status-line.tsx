/** How sync stands, in words a user understands; always in sight, and read aloud when it changes. */
import type { SyncPlugin, SyncStatus } from '@objectql/plugin-sync';
import { useSyncStatus } from '@objectql/plugin-sync/react';

interface StatusLineProps {
  readonly sync: SyncPlugin;
  /** False while it is not known yet what is stored on this device. */
  readonly isRead: boolean;
}

export function StatusLine({ sync, isRead }: StatusLineProps) {
  const { tone, text } = describeStatus(useSyncStatus(sync), isRead);
  return (
    <p className="status" role="status" data-tone={tone}>
      <span className="status-dot" aria-hidden="true" />
      {text}
    </p>
  );
}

interface StatusText {
  readonly tone: 'calm' | 'busy' | 'offline' | 'attention';
  readonly text: string;
}

/** What matters most comes first: what needs the user, then the network, then what is under way. */
function describeStatus(status: SyncStatus, isRead: boolean): StatusText {
  const { pending, conflicts, deadLetters } = status;
  const waiting = conflicts + deadLetters;
  const kept = pending > 0 ? `${count(pending, 'change')} kept on this device` : 'everything is saved';
  if (status.isStorageFailing)
    return { tone: 'attention', text: `This device cannot store changes: ${status.lastError}` };
  if (status.state === 'needs-auth') return { tone: 'attention', text: 'Sign in to go on syncing' };
  if (!isRead) return { tone: 'busy', text: 'Opening …' };
  if (waiting > 0) {
    const rest =
      status.state === 'offline' ? ` · Offline, ${kept}` : pending > 0 ? ` · ${count(pending, 'change')} to send` : '';
    return { tone: 'attention', text: `${count(waiting, 'thing')} ${waiting === 1 ? 'needs' : 'need'} you${rest}` };
  }
  if (status.state === 'offline') return { tone: 'offline', text: `Offline · ${kept}` };
  if (status.lastError !== null && pending > 0) {
    return { tone: 'offline', text: `The server does not answer · ${kept}` };
  }
  if (pending > 0) return { tone: 'busy', text: `Syncing ${count(pending, 'change')} …` };
  if (status.state === 'syncing' && status.progress) return { tone: 'busy', text: 'Receiving …' };
  if (status.lastError !== null) return { tone: 'offline', text: 'The server does not answer · trying again' };
  return { tone: 'calm', text: 'All changes saved' };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
