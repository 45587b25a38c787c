import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { bundleProgram } from '../../../../../scripts/build/bundle-program.js';
import { temporaryDirectory } from '../../../test/fixtures/temporary-directory.js';
import { lastBatch, tell, tellAfter } from '../contract/numbered-batches.js';
import { CRASH_STORAGES, openCrashStorage } from './crash-storage.js';

const WRITER = await bundleProgram(fileURLToPath(new URL('./crash-writer.ts', import.meta.url)));

/** Lets a process write, kills it when it has reported so many batches, and returns the highest it ever reported. */
async function writeUntilKilled(kind: string, path: string, reports: number): Promise<number> {
  const writer: ChildProcessWithoutNullStreams = spawn(process.execPath, [WRITER, kind, path]);
  const complaints: string[] = [];
  writer.stderr.on('data', (text) => complaints.push(String(text)));
  const exit = once(writer, 'exit');
  const reported: number[] = [];
  for await (const line of createInterface({ input: writer.stdout })) {
    reported.push(Number(line));
    if (reported.length === reports) writer.kill('SIGKILL');
  }
  expect(await exit, complaints.join('')).toEqual([null, 'SIGKILL']);
  return Math.max(...reported);
}

for (const kind of CRASH_STORAGES) {
  test(`I1 loses nothing it reported, and keeps no half of a batch, when its process is killed (${kind})`, async () => {
    const path = join(await temporaryDirectory(), 'sync');
    let kept = 0;
    for (const reports of [1, 150, 3, 42, 7]) {
      const reported = await writeUntilKilled(kind, path, reports);
      const storage = await openCrashStorage(kind, path);
      const last = await lastBatch(storage);
      expect(last).toBeGreaterThanOrEqual(reported);
      expect(last).toBeGreaterThan(kept);
      expect(await tell(storage)).toEqual(await tellAfter(last));
      await storage.close();
      kept = last;
    }
  });
}
