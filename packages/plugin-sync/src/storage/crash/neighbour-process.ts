/**
 * A process beside others on one storage. For each path it is sent, it opens the client there, records three tasks and tells
 * its parent when they are durable, or the code of what it was refused with. The client stays open until the process ends.
 * Started by `neighbours.test.ts`. Arguments: the kind of storage and the name of the process.
 */
import { SyncEngine } from '../../sync-engine.js';
import { openCrashStorage } from './crash-storage.js';

const [kind, name] = process.argv.slice(2);

process.on('disconnect', () => process.exit(0));
process.on('message', async (path: string) => {
  const engine = new SyncEngine({
    clientId: 'device',
    storage: await openCrashStorage(kind, path),
    transport: { push: () => new Promise(() => {}) },
    config: { enabled: true },
  });
  const tasks = engine.records.of('task');
  for (const n of [1, 2, 3]) tasks.create(`${name}${n}`, { title: 'Mine' });
  process.send?.(
    await engine.flush().then(
      () => 'durable',
      (error) => error.code,
    ),
  );
});
process.send?.('ready');
