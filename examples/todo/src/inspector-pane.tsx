/** What the client is doing, for developers; loaded when it is asked for. */
import type { SyncPlugin } from '@objectql/plugin-sync';
import { useEffect, useRef } from 'react';
import { useAttempt } from './attempt.js';

export function InspectorPane({ sync }: { readonly sync: SyncPlugin }) {
  const host = useRef<HTMLDivElement>(null);
  const attempt = useAttempt();
  useEffect(() => {
    let unmount: (() => void) | undefined;
    let isWanted = true;
    attempt(async () => {
      const { mountInspector } = await import('@objectql/plugin-sync/inspector');
      if (isWanted && host.current) unmount = mountInspector(host.current, sync);
    });
    return () => {
      isWanted = false;
      unmount?.();
    };
  }, [sync, attempt]);
  return (
    <section className="inspector" aria-label="Inspector of this device">
      <div ref={host} />
    </section>
  );
}
