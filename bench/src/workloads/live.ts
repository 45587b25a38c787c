/** W7: one edit on one device until it shows on another that listens. */
import { type Case, type Measured, oursOf } from '../case.js';
import { makeTasks, taskId } from '../data/task.js';
import { Device, openStorage } from '../process/device.js';
import { Meter } from '../process/meter.js';
import { ServerLink } from '../process/server-link.js';
import { FloorClient } from './floor-client.js';
import { median, timed } from './stopwatch.js';

const MOST_ROUNDS = 25;
/** 150 ms between two edits: a server wakes a stream ten times a second at most, and this is about an edit by itself. */
const PAUSE_MS = 150;

/** `size` is the number of records both devices have. */
export async function live(asked: Case): Promise<Measured> {
  return asked.contestant === 'floor' ? liveFloor(asked) : liveOurs(asked);
}

async function liveOurs(asked: Case): Promise<Measured> {
  const { storage, store } = oursOf(asked);
  const rounds = roundsOf(asked);
  const server = await ServerLink.start({ serves: 'sync', store });
  await server.apply(makeTasks(asked.size));
  const open = async (clientId: string) =>
    new Device({ url: server.url, clientId, storage: await openStorage(storage), isLive: true });
  const [writer, reader] = [await open('writer'), await open('reader')];
  await Promise.all([writer.sync(), reader.sync()]);
  const arrivals = new Arrivals();
  for (let n = 0; n < rounds; n++) {
    reader.tasks.records.subscribe(taskId(n), (record) => arrivals.see(taskId(n), record?.data.title));
  }
  const measured = await measure({ server, rounds }, async (n) => {
    const arrived = arrivals.wait(taskId(n), titleOf(n));
    await writer.tasks.records.update(taskId(n), { title: titleOf(n) });
    await arrived;
  });
  await Promise.all([writer.tasks.sync(), reader.tasks.sync()]);
  const digests = [await writer.digest(), await reader.digest(), await server.digest()];
  await writer.close();
  await reader.close();
  await server.stop();
  return { ...measured, isVerified: new Set(digests).size === 1 };
}

async function liveFloor(asked: Case): Promise<Measured> {
  const rounds = roundsOf(asked);
  const server = await ServerLink.start({ serves: 'floor' });
  const tasks = makeTasks(asked.size);
  await server.apply(tasks);
  const [writer, reader] = [new FloorClient(server.url), new FloorClient(server.url)];
  writer.startFrom(tasks);
  reader.startFrom(tasks);
  const arrivals = new Arrivals();
  const stop = await reader.listen((id, data) => arrivals.see(id, data.title));
  const measured = await measure({ server, rounds }, async (n) => {
    const arrived = arrivals.wait(taskId(n), titleOf(n));
    writer.change(taskId(n), { title: titleOf(n) });
    await writer.push();
    await arrived;
  });
  stop();
  const digests = [writer.digest(), reader.digest(), await server.digest()];
  await server.stop();
  return { ...measured, isVerified: new Set(digests).size === 1 };
}

async function measure(
  { server, rounds }: { readonly server: ServerLink; readonly rounds: number },
  round: (n: number) => Promise<void>,
): Promise<Omit<Measured, 'isVerified'>> {
  const meter = new Meter(server);
  await meter.start();
  const times: number[] = [];
  for (let n = 0; n < rounds; n++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    times.push(await timed(() => round(n)));
  }
  const used = await meter.stop();
  const p90Ms = times.toSorted((a, b) => a - b)[Math.floor(rounds * 0.9)] ?? Number.NaN;
  return { ops: 1, ms: median(times), parts: { p90Ms }, used };
}

/** One record is edited in each. */
function roundsOf({ size }: Case): number {
  return Math.min(MOST_ROUNDS, size);
}

function titleOf(n: number): string {
  return `edited ${n}`;
}

/** What a device shows, and who waits to see it. */
class Arrivals {
  readonly #waiting = new Map<string, () => void>();

  wait(id: string, title: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(`${id} ${title}`, resolve));
  }

  see(id: string, title: unknown): void {
    this.#waiting.get(`${id} ${title}`)?.();
  }
}
