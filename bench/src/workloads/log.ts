/** W4: a log of n mutations, appended one by one until all are durable, then acknowledged 50 at a time, oldest first. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MutationLogger } from '@objectql/plugin-sync';
import Database from 'libsql';
import { type Case, type Measured, oursOf } from '../case.js';
import { OBJECT_NAME } from '../data/task.js';
import { type LogStep, logData } from '../data/workload-data.js';
import { openStorage } from '../process/device.js';
import { Meter } from '../process/meter.js';
import { timed } from './stopwatch.js';

const ACKNOWLEDGED_AT_ONCE = 50;

export async function log(asked: Case): Promise<Measured> {
  const steps = logData(asked.size);
  switch (asked.contestant) {
    case 'floor':
      return logInArray(steps);
    case 'raw-sqlite':
      return logInTable(steps);
    default:
      return logOurs(asked, steps);
  }
}

async function logOurs(asked: Case, steps: readonly LogStep[]): Promise<Measured> {
  const opened = await openStorage(oursOf(asked).storage);
  const logger = new MutationLogger('device', { storage: opened.storage });
  await logger.load();
  const ids: string[] = [];
  const measured = await measure(steps.length, {
    async append() {
      for (const step of steps) ids.push(logger.append({ objectName: OBJECT_NAME, ...step, baseVersion: null }).id);
      await logger.flush();
    },
    async acknowledge() {
      for (let from = 0; from < ids.length; from += ACKNOWLEDGED_AT_ONCE) {
        logger.acknowledge(ids.slice(from, from + ACKNOWLEDGED_AT_ONCE));
      }
      await logger.flush();
    },
    left: () => logger.size,
  });
  await logger.close();
  await opened.remove();
  return measured;
}

function logInArray(steps: readonly LogStep[]): Promise<Measured> {
  let queue: LogStep[] = [];
  let head = 0;
  return measure(steps.length, {
    append() {
      for (const step of steps) queue.push({ ...step });
    },
    acknowledge() {
      while (head < queue.length) {
        head += ACKNOWLEDGED_AT_ONCE;
        if (head * 2 < queue.length) continue;
        queue = queue.slice(head);
        head = 0;
      }
    },
    left: () => queue.length,
  });
}

/** One row an append, each a transaction of its own that is on the disk before the next. */
async function logInTable(steps: readonly LogStep[]): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'objectql-sync-bench-'));
  const database = new Database(join(folder, 'log.sqlite'));
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec('CREATE TABLE log (sequence INTEGER PRIMARY KEY, mutation TEXT NOT NULL)');
  const insert = database.prepare('INSERT INTO log (mutation) VALUES (?)');
  const remove = database.prepare('DELETE FROM log WHERE sequence <= ?');
  const count = database.prepare('SELECT count(*) AS count FROM log');
  const measured = await measure(steps.length, {
    append() {
      for (const step of steps) insert.run(JSON.stringify(step));
    },
    acknowledge() {
      for (let upTo = 0; upTo < steps.length; ) {
        upTo += ACKNOWLEDGED_AT_ONCE;
        remove.run(upTo);
      }
    },
    left: () => (count.get() as { readonly count: number }).count,
  });
  database.close();
  await rm(folder, { recursive: true, force: true });
  return measured;
}

interface Log {
  append(): unknown;
  acknowledge(): unknown;
  left(): number;
}

async function measure(count: number, work: Log): Promise<Measured> {
  const meter = new Meter();
  await meter.start();
  const appendMs = await timed(() => work.append());
  const acknowledgeMs = await timed(() => work.acknowledge());
  const used = await meter.stop();
  const parts = { appendUs: (1000 * appendMs) / count, acknowledgeUs: (1000 * acknowledgeMs) / count };
  return { ops: count, ms: appendMs + acknowledgeMs, parts, used, isVerified: work.left() === 0 };
}
