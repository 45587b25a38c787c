/** A device of the demo: a process with a durable log in a SQLite file, told what to do by messages. */
import { httpTransport, SqliteStorage, type SyncConflict, SyncPlugin } from '@objectql/plugin-sync';
import Database from 'libsql';
import type { Command } from './device.js';
import { objects } from './objects.js';

const [name = 'device', file = 'client.sqlite', url = ''] = process.argv.slice(2);

const sync = new SyncPlugin({
  clientId: name,
  transport: httpTransport({ url }),
  storage: new SqliteStorage(new Database(file)),
  objects,
  onConflict: mergeInvoice,
  listeners: [
    { onServerChanges: (changes) => tell('received', `${changes.length} change(s) from the server`) },
    {
      onDropped: (dropped) => {
        for (const { mutation, droppedFields } of dropped) {
          tell(
            'dropped',
            `${mutation.objectName} ${mutation.recordId}: ${droppedFields.join(', ')} keeps the other value`,
          );
        }
      },
    },
    { onSyncError: (error) => tell('failed', error.message) },
  ],
});
// The demo decides when a device is online; an application leaves this to the library.
sync.client.pause();
let pendingBefore = 0;
let hangsMidway = false;
sync.client.subscribeStatus(({ pending }) => {
  if (pending < pendingBefore) process.send?.({ type: 'pending', pending }, undefined, undefined, standStill);
  pendingBefore = pending;
});

/** Invoices are merged by a rule of the application: amounts written on two devices are added up. Other conflicts wait. */
function mergeInvoice({ objectName, serverRecord, clientMutation, conflictingFields }: SyncConflict) {
  if (objectName !== 'invoice' || !conflictingFields.includes('amount')) return undefined;
  const amount = Number(serverRecord?.amount) + Number(clientMutation.data?.amount);
  tell('merged', `invoice ${clientMutation.recordId}: onConflict adds both amounts up to ${amount}`);
  return { ...serverRecord, ...clientMutation.data, amount };
}

/** On a busy machine, who is to kill this process might come too late. */
function standStill(): void {
  if (hangsMidway) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function tell(kind: string, text: string): void {
  process.send?.({ type: 'event', kind, text });
}

async function run(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'create':
      sync.getEngine(command.objectName).records.create(command.recordId, command.data);
      return sync.client.log.flush();
    case 'update':
      await sync.getEngine(command.objectName).records.update(command.recordId, command.data);
      return sync.client.log.flush();
    case 'connect':
      hangsMidway = command.hangsMidway ?? false;
      sync.client.resume();
      if (!(await sync.syncAll())) throw new Error(`${name} could not sync: ${sync.client.status.lastError}`);
      return sync.client.status.pending;
    case 'disconnect':
      return sync.client.pause();
    case 'pending':
      await sync.client.open();
      return sync.client.status.pending;
    case 'conflicts':
      return sync.client.conflicts.list();
    case 'resolve':
      return sync.client.conflicts.resolve(command.id, command.choice);
    case 'records': {
      const lists = [...objects.keys()].map((objectName) => sync.getEngine(objectName).records.list());
      return (await Promise.all(lists)).flat();
    }
  }
}

process.on('message', (message: { id: number; command: Command }) => {
  run(message.command).then(
    (value) => process.send?.({ type: 'done', id: message.id, value }),
    (error: unknown) => process.send?.({ type: 'done', id: message.id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.({ type: 'ready' });
