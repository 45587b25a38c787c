/** W5: the server went on by ten changes; how long until the device has them, and what that grows with. */
import { type Case, type Measured, oursOf } from '../case.js';
import { digestAfter } from '../data/digest.js';
import { makeTasks, type TaskChange } from '../data/task.js';
import { changesBehind } from '../data/workload-data.js';
import { Device, openStorage } from '../process/device.js';
import { Meter } from '../process/meter.js';
import { ServerLink } from '../process/server-link.js';
import { FloorClient } from './floor-client.js';
import { median, timed } from './stopwatch.js';

const BEHIND = 10;
const ROUNDS = 40;

export async function catchUp(asked: Case): Promise<Measured> {
  const existing = makeTasks(asked.size);
  const isFloor = asked.contestant === 'floor';
  const server = await ServerLink.start(isFloor ? { serves: 'floor' } : { serves: 'sync', store: oursOf(asked).store });
  for (let from = 0; from < existing.length; from += SENT_AT_ONCE) {
    await server.apply(existing.slice(from, from + SENT_AT_ONCE));
  }
  const client = isFloor ? floorReplica(server, existing) : await deviceReplica(asked, server);
  const meter = new Meter(server);
  await meter.start();
  const made: TaskChange[] = [];
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const changes = changesBehind(BEHIND, { records: asked.size, round });
    made.push(...changes);
    await server.apply(changes);
    times.push(await timed(() => client.pull()));
  }
  const used = await meter.stop();
  const isVerified = (await client.digest()) === digestAfter([...existing, ...made]);
  await client.close();
  await server.stop();
  const p90Ms = times.toSorted((a, b) => a - b)[Math.floor(ROUNDS * 0.9)] ?? Number.NaN;
  return { ops: BEHIND, ms: median(times), parts: { p90Ms }, used, isVerified };
}

const SENT_AT_ONCE = 20_000;

interface Replica {
  pull(): Promise<void>;
  digest(): Promise<string>;
  close(): Promise<void>;
}

function floorReplica(server: ServerLink, existing: readonly TaskChange[]): Replica {
  const client = new FloorClient(server.url);
  client.startFrom(existing);
  return { pull: () => client.pull(), digest: async () => client.digest(), close: async () => {} };
}

async function deviceReplica(asked: Case, server: ServerLink): Promise<Replica> {
  const storage = await openStorage(oursOf(asked).storage);
  const device = new Device({ url: server.url, clientId: 'device', storage });
  await device.sync();
  return { pull: () => device.sync(), digest: () => device.digest(), close: () => device.close() };
}
