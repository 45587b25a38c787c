/** What the client is doing, for developers; loaded when it is asked for. */
import type { SyncPlugin } from '@objectql/plugin-sync';
import { useEffect, useRef } from 'react';

export function InspectorPane({ sync }: { readonly sync: SyncPlugin }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let unmount: (() => void) | undefined;
    let isWanted = true;
    void import('@objectql/plugin-sync/inspector').then(({ mountInspector }) => {
      if (isWanted && host.current) unmount = mountInspector(host.current, sync);
    });
    return () => {
      isWanted = false;
      unmount?.();
    };
  }, [sync]);
  return (
    <section className="inspector" aria-label="Inspector of this device">
      <div ref={host} />
    </section>
  );
}
