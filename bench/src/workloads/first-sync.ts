/** W3: a device that has nothing receives everything. */
import { type Case, type Measured, oursOf } from '../case.js';
import { digestAfter } from '../data/digest.js';
import { makeTasks, type TaskChange } from '../data/task.js';
import { Device, openStorage } from '../process/device.js';
import { Meter } from '../process/meter.js';
import { ServerLink } from '../process/server-link.js';
import { FloorClient } from './floor-client.js';
import { timed } from './stopwatch.js';

export async function firstSync(asked: Case): Promise<Measured> {
  const existing = makeTasks(asked.size);
  const expected = digestAfter(existing);
  switch (asked.contestant) {
    case 'floor':
      return firstSyncFloor(existing, expected);
    case 'raw-json':
      return parsePages(existing);
    default:
      return firstSyncOurs(asked, existing, expected);
  }
}

async function firstSyncOurs(asked: Case, existing: readonly TaskChange[], expected: string): Promise<Measured> {
  const { storage, store } = oursOf(asked);
  const server = await ServerLink.start({ serves: 'sync', store });
  await server.apply(existing);
  const opened = await openStorage(storage);
  const device = new Device({ url: server.url, clientId: 'device', storage: opened });
  const meter = new Meter(server);
  await meter.start();
  const ms = await timed(() => device.sync());
  const used = await meter.stop();
  const isVerified = (await device.digest()) === expected;
  await device.close();
  await server.stop();
  return { ops: existing.length, ms, used, isVerified };
}

async function firstSyncFloor(existing: readonly TaskChange[], expected: string): Promise<Measured> {
  const server = await ServerLink.start({ serves: 'floor' });
  await server.apply(existing);
  const client = new FloorClient(server.url);
  const meter = new Meter(server);
  await meter.start();
  const ms = await timed(() => client.fetchAll(existing.length));
  const used = await meter.stop();
  const isVerified = client.digest() === expected;
  await server.stop();
  return { ops: existing.length, ms, used, isVerified };
}

/** The part that no client escapes: the text of the records, in pages of 1,000, parsed. */
async function parsePages(existing: readonly TaskChange[]): Promise<Measured> {
  const pages: string[] = [];
  for (let from = 0; from < existing.length; from += 1000) {
    pages.push(JSON.stringify(existing.slice(from, from + 1000)));
  }
  const records = new Map<string, object>();
  const meter = new Meter();
  await meter.start();
  const ms = await timed(() => {
    for (const page of pages) {
      for (const [id, data] of JSON.parse(page) as readonly TaskChange[]) records.set(id, data);
    }
  });
  const used = await meter.stop();
  return { ops: existing.length, ms, used, isVerified: records.size === existing.length };
}
