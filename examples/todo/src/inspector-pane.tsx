import type { SyncPlugin } from '@objectql/plugin-sync';

/** What the client is doing, for developers. */
export function InspectorPane({ sync }: { readonly sync: SyncPlugin }) {
  return <pre className="inspector">{JSON.stringify(sync.client.status, null, 2)}</pre>;
}
