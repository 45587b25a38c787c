/**
 * The file to read first: one server and two devices in one process. Both edit the same record offline; afterwards all
 * have the same. Run it with `npx -y pnpm@10 --filter @objectql/example-hello-sync start`.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpTransport, SyncPlugin } from '@objectql/plugin-sync';
import { createSyncEndpoint, SyncHandler } from '@objectql/protocol-sync';
import { toNodeHandler } from '@objectql/protocol-sync/node';

// The server decides conflicts: of two edits of one field, the later one stays. Records are kept in its own store.
const handler = new SyncHandler({ strategy: 'last-write-wins' });
const server = createServer(toNodeHandler(createSyncEndpoint({ handler })));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/sync`;

// Two devices. Each has its own log; give it a `storage` to survive a restart.
const laptop = new SyncPlugin({ clientId: 'laptop', transport: httpTransport({ url }) });
const phone = new SyncPlugin({ clientId: 'phone', transport: httpTransport({ url }) });
const onLaptop = laptop.getEngine('task').records;
const onPhone = phone.getEngine('task').records;

// The laptop creates a task. It is visible at once, and on the phone after both have synced.
onLaptop.create('task-1', { title: 'Paint the door', status: 'pending' });
await laptop.syncAll();
await phone.syncAll();

// Both edit it without a network: different fields, and one field that both change.
laptop.client.pause();
phone.client.pause();
await onLaptop.update('task-1', { title: 'Paint the door blue', status: 'in_progress' });
await onPhone.update('task-1', { title: 'Paint the door green', assignee: 'Ada' });

// Back online, in whatever order. Nobody has to resolve anything: the later title stays, the other fields merge.
phone.client.resume();
await phone.syncAll();
laptop.client.resume();
await laptop.syncAll();
await phone.syncAll();

export const seen = {
  laptop: (await onLaptop.get('task-1'))?.data,
  phone: (await onPhone.get('task-1'))?.data,
};
console.log(seen);

await laptop.close();
await phone.close();
await handler.close();
server.close();
