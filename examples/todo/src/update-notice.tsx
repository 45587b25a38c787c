/** Registers the service worker, and offers a new version of the app when there is one. */
import { useEffect, useState } from 'react';
import { useAttempt } from './attempt.js';

export function UpdateNotice() {
  const [waiting, setWaiting] = useState<ServiceWorker | null>(null);
  const attempt = useAttempt();

  useEffect(() => {
    // In development the files change under the feet of a service worker.
    if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
    // Fails where the browser blocks it: the app then does not start without a network.
    attempt(() => watchForUpdates(setWaiting));
  }, [attempt]);

  if (!waiting) return null;
  const update = () => {
    // Another tab may have let it take over already.
    if (waiting.state !== 'installed') return location.reload();
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
    waiting.postMessage('take over');
  };
  return (
    <aside className="notice" aria-label="Update">
      <p role="status">A new version is ready.</p>
      <button type="button" onClick={update}>
        Reload
      </button>
    </aside>
  );
}

async function watchForUpdates(onWaiting: (worker: ServiceWorker) => void): Promise<void> {
  const registration = await navigator.serviceWorker.register('/service-worker.js');
  const look = () => {
    // The very first version has nobody to wait for.
    if (registration.waiting && navigator.serviceWorker.controller) onWaiting(registration.waiting);
  };
  look();
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', look);
  });
}
