/**
 * The main job on real parts: a server process on a SQLite file behind HTTP, and two devices with durable logs that go
 * offline, edit the same and different fields of the same records, and come back, one of them after a SIGKILL. Exits
 * with 1 if the replicas differ at the end.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalRecord, ParkedConflict } from '@objectql/plugin-sync';
import { Device } from './device.js';
import { chapter, line, table } from './timeline.js';

const SCANS = 60;
const folder = mkdtempSync(join(tmpdir(), 'objectql-sync-demo-'));
const server = fork(new URL('./server.ts', import.meta.url), [join(folder, 'server.sqlite')]);
const devices: Device[] = [];
let succeeded = false;
try {
  succeeded = await tellStory(`http://127.0.0.1:${await portOf(server)}/api/sync`);
} finally {
  for (const device of devices) device.stop();
  server.disconnect();
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = succeeded ? 0 : 1;
}

async function tellStory(url: string): Promise<boolean> {
  const laptop = await startDevice('laptop', url);
  const phone = await startDevice('phone', url);

  chapter('1. The laptop creates four records; the phone receives them.');
  await laptop.create('task', 'T1', { title: 'Paint the door', status: 'pending', assignee: 'nobody' });
  await laptop.create('note', 'N1', { body: 'Blue?', tags: 'paint' });
  await laptop.create('invoice', 'I1', { customer: 'ACME', amount: 100 });
  await laptop.create('contract', 'C1', { terms: '30 days' });
  await connect(laptop);
  await connect(phone);

  chapter('2. Both go offline and edit the same records.');
  await laptop.run({ do: 'disconnect' });
  await phone.run({ do: 'disconnect' });
  await edit(laptop, 'task T1', { title: 'Paint the door blue', status: 'in_progress' });
  await edit(laptop, 'note N1', { body: 'Blue.' });
  await edit(laptop, 'invoice I1', { amount: 40 });
  await edit(laptop, 'contract C1', { terms: '14 days' });
  await edit(phone, 'task T1', { title: 'Paint the door green', assignee: 'Ada' });
  await edit(phone, 'note N1', { body: 'Green.', tags: 'paint, door' });
  await edit(phone, 'invoice I1', { amount: 2 });
  await edit(phone, 'contract C1', { terms: '60 days' });
  for (let scan = 1; scan <= SCANS; scan++) {
    await phone.create('task', `scan-${String(scan).padStart(2, '0')}`, {
      title: `Scanned part ${scan}`,
      status: 'pending',
    });
  }
  line('phone', `records ${SCANS} scanned parts; ${await phone.run({ do: 'pending' })} mutations are pending`);

  chapter('3. The laptop reconnects first. Nobody was faster: everything is applied.');
  await connect(laptop);

  chapter('4. The phone reconnects, and is killed with SIGKILL in the middle of its push.');
  await phone.connectAndKillMidway();
  line('phone', 'killed');
  await phone.start();
  line('phone', `restarted: ${await phone.run({ do: 'pending' })} mutations are still pending in its log`);
  await connect(phone);

  chapter('5. The contract is nobody’s to decide but the user’s: it is parked, and nothing waited for it.');
  const [parked] = (await phone.run({ do: 'conflicts' })) as readonly ParkedConflict[];
  if (!parked) throw new Error('The contract should have been parked.');
  const { serverRecord, clientMutation } = parked.conflict;
  line(
    'phone',
    `contract C1: theirs is "${serverRecord?.terms}", mine is "${clientMutation.data?.terms}"; the user takes mine`,
  );
  await phone.run({ do: 'resolve', id: parked.id, choice: 'mine' });
  await connect(phone);
  await connect(laptop);

  chapter('6. The records side by side.');
  const fresh = await startDevice('new', url);
  await connect(fresh);
  return compare([laptop, phone, fresh]);
}

async function startDevice(name: string, url: string): Promise<Device> {
  const onEvent = (_kind: string, text: string) => line(name, text);
  const device = new Device({ name, file: join(folder, `${name}.sqlite`), url, onEvent });
  devices.push(device);
  await device.start();
  return device;
}

async function edit(device: Device, record: string, data: Record<string, unknown>): Promise<void> {
  const [objectName = '', recordId = ''] = record.split(' ');
  await device.update(objectName, recordId, data);
  line(device.name, `${record}: ${JSON.stringify(data)}`);
}

async function connect(device: Device): Promise<void> {
  line(device.name, 'connects');
  await device.run({ do: 'connect' });
  line(device.name, `is in sync, ${await device.run({ do: 'pending' })} pending`);
}

/** Prints every field as each device has it, and says whether all are the same; `new` has what the server has. */
async function compare(replicas: readonly Device[]): Promise<boolean> {
  const values = await Promise.all(replicas.map(async (device) => valueByPath(await device.records())));
  const paths = [...new Set(values.flatMap((byPath) => [...byPath.keys()]))].sort();
  const differing = paths.filter((path) => new Set(values.map((byPath) => byPath.get(path))).size > 1);
  const shown = paths.filter((path) => !path.includes('scan-') || differing.includes(path));
  const scans = values.map((byPath) => [...byPath.keys()].filter((path) => /scan-.*title/.test(path)).length);
  table([
    ['record and field', ...replicas.map(({ name }) => (name === 'new' ? 'new device (= server)' : name))],
    ...shown.map((path) => [path, ...values.map((byPath) => byPath.get(path) ?? '–')]),
    ['scanned parts', ...scans.map(String)],
  ]);
  const isComplete = scans.every((count) => count === SCANS);
  if (differing.length > 0) chapter(`The replicas differ in ${differing.join(', ')}.`);
  else if (!isComplete) chapter(`Of ${SCANS} scanned parts, ${scans.join(' / ')} arrived.`);
  else chapter('All replicas hold the same records; nothing was lost and nothing was applied twice.');
  return differing.length === 0 && isComplete;
}

/** Every field, and every record's version: a mutation that was applied twice would show in it. */
function valueByPath(records: readonly LocalRecord[]): ReadonlyMap<string, string> {
  return new Map(
    records.flatMap(({ objectName, recordId, data, version }): [string, string][] => [
      [`${objectName} ${recordId} version`, String(version)],
      ...Object.entries(data).map(([field, value]): [string, string] => [
        `${objectName} ${recordId} ${field}`,
        String(value),
      ]),
    ]),
  );
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('message', (message: { port: number }) => resolve(message.port));
    child.once('exit', (code) => reject(new Error(`The server ended with ${code} before it was ready.`)));
  });
}
