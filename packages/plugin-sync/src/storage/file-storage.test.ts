import {
  appendFile,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/fixtures/temporary-directory.js';
import { storageFaultContract } from './contract/faults.contract.js';
import { storageModelContract } from './contract/model.contract.js';
import type { StorageFixture } from './contract/storage-fixture.js';
import { sampleEntry, sampleMeta, sampleRecord } from './contract/storage-samples.js';
import { FileStorage } from './file-storage.js';
import type { Disk, DiskFile } from './journal/disk.js';
import { nodeDisk } from './journal/node-disk.js';
import { PowerCutDisk } from './journal/power-cut-disk.fixture.js';
import { storageContract } from './storage.contract.js';

const fixture: StorageFixture = {
  keeps: 'everything',
  loadReads: 'everything',
  async newPlace() {
    const directory = await mkdtemp(join(tmpdir(), 'file-storage-'));
    return {
      open: () => new FileStorage(join(directory, 'sync.journal'), { compactAboveBytes: 1000 }),
      remove: () => rm(directory, { recursive: true }),
    };
  },
};
storageContract('FileStorage', fixture, { describe, it, expect });
storageModelContract('FileStorage', fixture);
storageFaultContract('FileStorage', fixture);

describe('FileStorage', () => {
  let directory: string;
  let path: string;

  beforeEach(async () => {
    directory = await temporaryDirectory();
    path = join(directory, 'sync.journal');
  });

  /** Stores the entries m1 … m<count>, each by a commit of its own, and closes. */
  async function storeEntries(count: number): Promise<void> {
    const storage = new FileStorage(path);
    for (let n = 1; n <= count; n++) await storage.commit({ putEntries: [sampleEntry(`m${n}`, n)] });
    await storage.close();
  }

  async function loadIds(): Promise<readonly string[]> {
    const storage = new FileStorage(path);
    try {
      return (await storage.load()).entries.map((entry) => entry.mutation.id);
    } finally {
      await storage.close();
    }
  }

  it('keeps what is whole of a file that was cut off anywhere, and goes on from there', async () => {
    await storeEntries(3);
    const whole = await readFile(path);
    const seen = new Set<number>();
    for (let size = whole.indexOf('\n') + 1; size <= whole.length; size += 9) {
      await writeFile(path, whole.subarray(0, size));
      const ids = await loadIds();
      seen.add(ids.length);
      expect(ids).toEqual(['m1', 'm2', 'm3'].slice(0, ids.length));
      const storage = new FileStorage(path);
      await storage.commit({ putEntries: [sampleEntry('m9', 9)] });
      await storage.close();
      expect(await loadIds()).toEqual([...ids, 'm9']);
    }
    expect(seen).toEqual(new Set([0, 1, 2, 3]));
  });

  it('ignores a torn tail of any bytes', async () => {
    await storeEntries(2);
    await appendFile(path, Buffer.from([0, 0, 0, 10, 255, 91, 34, 10, 10, 123]));
    expect(await loadIds()).toEqual(['m1', 'm2']);
  });

  it('refuses a file of which a byte was changed, whichever it is, and leaves it as it is', async () => {
    await storeEntries(3);
    const whole = await readFile(path);
    const firstMark = whole.lastIndexOf('m3') + whole.subarray(whole.lastIndexOf('m3')).indexOf('\n') + 1;
    const lineBreaks = [...whole.keys()].filter((position) => whole[position] === 0x0a);
    const some = [...whole.keys()].filter((position) => position % 11 === 0);
    for (const position of [...lineBreaks, ...some].filter((position) => position < firstMark)) {
      const changed = Buffer.from(whole);
      changed[position] = (changed[position] ?? 0) ^ 1;
      await writeFile(path, changed);
      await expect(loadIds()).rejects.toMatchObject({ name: 'StorageError', code: 'DAMAGED' });
      expect(await readFile(path)).toEqual(changed);
    }
  });

  it('says where a file is damaged, and what to do', async () => {
    await storeEntries(2);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace('Write tests', 'Wrote tests'));
    const header = text.indexOf('\n') + 1;
    const mark = text.indexOf('\n', header) + 1;
    await expect(loadIds()).rejects.toThrow(`${path} is damaged at byte ${mark}`);
    await expect(loadIds()).rejects.toThrow('Restore the file from a backup');
  });

  it('refuses a file that is not its own, and leaves it as it is', async () => {
    await writeFile(path, 'Dear diary\n');
    await expect(loadIds()).rejects.toMatchObject({
      code: 'DAMAGED',
      message: expect.stringContaining('not a sync journal'),
    });
    expect(await readFile(path, 'utf8')).toBe('Dear diary\n');
  });

  it('refuses a file of a newer format, whatever else is in it, and leaves it as it is', async () => {
    for (const more of ['}\n', '}\nlines of tomorrow\n', ',"codec":"zstd"}\n']) {
      const text = `{"format":"objectql-sync-journal","version":2${more}`;
      await writeFile(path, text);
      await expect(loadIds()).rejects.toMatchObject({
        code: 'TOO_NEW',
        message: expect.stringContaining('Update the app'),
      });
      expect([await readFile(path, 'utf8'), await readdir(directory)]).toEqual([text, ['sync.journal']]);
    }
  });

  it('starts anew with an empty file, and creates missing directories', async () => {
    await writeFile(path, '');
    expect(await loadIds()).toEqual([]);
    path = join(directory, 'deep', 'down', 'sync.journal');
    await storeEntries(1);
    expect(await loadIds()).toEqual(['m1']);
  });

  it('opens a file once at a time, also by another name of it', async () => {
    await storeEntries(1);
    const link = join(directory, 'link.journal');
    await symlink(path, link);
    const first = new FileStorage(path);
    await first.load();
    const second = new FileStorage(link);
    await expect(second.load()).rejects.toMatchObject({ code: 'LOCKED' });
    await expect(second.commit({})).rejects.toMatchObject({ code: 'LOCKED' });
    await first.close();
    expect((await second.load()).entries).toEqual([sampleEntry('m1', 1)]);
    await second.close();
    expect((await readdir(directory)).sort()).toEqual(['link.journal', 'sync.journal']);
  });

  it('leaves no lock behind when it cannot read the file', async () => {
    await writeFile(path, 'Dear diary\n');
    for (const wait of [(load: Promise<unknown>) => load, async () => {}]) {
      const storage = new FileStorage(path);
      const load = expect(storage.load()).rejects.toMatchObject({ code: 'DAMAGED' });
      await wait(load);
      await Promise.all([storage.close(), load]);
      expect(await readdir(directory)).toEqual(['sync.journal']);
    }
  });

  /** The disk, whose files do `changed` instead, how many are open, and how many were when the lock was given free. */
  function watchedDisk(changed: Partial<DiskFile> = {}) {
    const watched = { open: 0, openAtUnlock: [] as number[] };
    const watch = async (opening: Promise<DiskFile>): Promise<DiskFile> => {
      const file = await opening;
      watched.open++;
      return { ...file, ...changed, close: () => file.close().then(() => void watched.open--) };
    };
    const disk: Disk = {
      ...nodeDisk,
      async lock(name) {
        const unlock = await nodeDisk.lock(name);
        return () => {
          watched.openAtUnlock.push(watched.open);
          return unlock();
        };
      },
      create: (name) => watch(nodeDisk.create(name)),
      open: (name) => watch(nodeDisk.open(name)),
    };
    return { disk, watched };
  }

  it('leaves no file open when it cannot make sure of what it has read', async () => {
    await storeEntries(1);
    const cause = new Error('the disk fails');
    const { disk, watched } = watchedDisk({ sync: () => Promise.reject(cause) });
    await expect(new FileStorage(path, { disk }).load()).rejects.toMatchObject({ code: 'FAILED', cause });
    expect(watched).toEqual({ open: 0, openAtUnlock: [0] });
    expect(await loadIds()).toEqual(['m1']);
  });

  it('holds one file open however often it is rewritten, and gives the lock free when it is closed', async () => {
    const { disk, watched } = watchedDisk();
    const storage = new FileStorage(path, { disk, compactAboveBytes: 0 });
    for (let n = 1; n <= 5; n++) await storage.commit({ putEntries: [sampleEntry('m1', n)] });
    await storage.commit({ putEntries: [sampleEntry('m2')] });
    expect(watched.open).toBe(1);
    await storage.close();
    expect(watched).toEqual({ open: 0, openAtUnlock: [0] });
  });

  it('stays within twice the size of what is alive, whatever was written', async () => {
    const storage = new FileStorage(path, { compactAboveBytes: 10_000 });
    const records = Array.from({ length: 20 }, (_, recordId) => sampleRecord({ recordId }));
    await storage.commit({ putRecords: records });
    for (let n = 1; n <= 1000; n++) {
      await storage.commit({
        meta: sampleMeta({ nextSequence: n + 1 }),
        putEntries: [sampleEntry(`m${n}`, n)],
        removeEntries: [`m${n - 1}`],
        putRecords: [sampleRecord({ recordId: n % 20, version: n })],
      });
    }
    const { size } = await stat(path);
    expect(size).toBeLessThan(25_000);
    await storage.close();
    expect(await loadIds()).toEqual(['m1000']);
  });

  it('shares one sync among batches committed together', async () => {
    const disk = new PowerCutDisk({ random: () => 0 });
    const storage = new FileStorage('sync.journal', { disk });
    await storage.commit({});
    // A write and a sync for the first, a write and a sync for the others.
    disk.cutPowerAt(5);
    await Promise.all(Array.from({ length: 100 }, (_, n) => storage.commit({ putEntries: [sampleEntry(`m${n}`, n)] })));
    expect((await storage.load()).entries).toHaveLength(100);
  });

  it('leaves it to the system when what the server tells again reaches the disk, until the user adds something', async () => {
    const disk = new PowerCutDisk({ random: () => 0.9 });
    const reopenedAfterPowerCut = () => {
      disk.restartMachine();
      return new FileStorage('sync.journal', { disk });
    };
    let storage = new FileStorage('sync.journal', { disk });
    await storage.commit({ meta: sampleMeta() });
    await storage.commit({ putRecords: [sampleRecord({ recordId: 1 })] });
    expect(await storage.listRecords('task')).toHaveLength(1);
    storage = reopenedAfterPowerCut();
    expect(await storage.listRecords('task')).toEqual([]);

    await storage.commit({ putRecords: [sampleRecord({ recordId: 1 })] });
    await storage.commit({ putEntries: [sampleEntry('m1')] });
    storage = reopenedAfterPowerCut();
    expect(await storage.listRecords('task')).toHaveLength(1);

    await storage.commit({ putRecords: [sampleRecord({ recordId: 2 })] });
    await storage.close();
    storage = reopenedAfterPowerCut();
    expect(await storage.listRecords('task')).toHaveLength(2);

    const text = 'x'.repeat(64 * 1024);
    await storage.commit({ putRecords: [sampleRecord({ recordId: 3, data: { text } })] });
    expect(await reopenedAfterPowerCut().listRecords('task')).toHaveLength(3);
  });

  it('stores nothing of a batch while the disk is full, and goes on when it is not', async () => {
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    const failures: number[] = [];
    for (let operation = 1; operation <= 60; operation++) {
      const disk = new PowerCutDisk({ random: () => 0 });
      const open = () => new FileStorage('sync.journal', { disk, compactAboveBytes: 1000 });
      const storage = open();
      await storage.load();
      disk.failAt(operation, full);
      const expected: string[] = [];
      for (let n = 1; n <= 12; n++) {
        const removeEntries = expected.slice(-1);
        try {
          await storage.commit({ putEntries: [sampleEntry(`m${n}`, n)], removeEntries });
          expected.splice(-1, removeEntries.length, `m${n}`);
        } catch (error) {
          expect(error).toMatchObject({ name: 'StorageError', code: 'FULL', cause: full });
          failures.push(operation);
          // Every other process dies before it can try again.
          if (operation % 2 === 0) break;
        }
        expect((await storage.load()).entries.map((entry) => entry.mutation.id)).toEqual(expected);
      }
      disk.restartProcess();
      // Half a rewrite would keep the last room from batches that still fit.
      expect(await disk.read('sync.journal.new')).toBeUndefined();
      const reopened = open();
      expect((await reopened.load()).entries.map((entry) => entry.mutation.id)).toEqual(expected);
      await reopened.close();
    }
    // Writes and syncs of batches fail them; those of a compaction do not.
    expect(failures.length).toBeGreaterThan(20);
    expect(failures.length).toBeLessThan(40);
  });

  it('keeps nothing of what it refused once it stored another batch, though the disk did not let it be cut off', async () => {
    const disk = new PowerCutDisk({ random: () => 0 });
    const storage = new FileStorage('sync.journal', { disk });
    const commit = (id: string) => storage.commit({ putEntries: [sampleEntry(id)] });
    await storage.load();
    // The file is opened, the first batch written and synced, the others written: their sync and the truncation fail.
    disk.failAt(5, new Error('the disk fails'), 2);
    const outcomes = await Promise.allSettled(['m1', 'm2', 'm3'].map(commit));
    await commit('m2');
    disk.restartProcess();
    const reopened = await new FileStorage('sync.journal', { disk }).load();
    expect([outcomes.map(({ status }) => status), reopened.entries.map(({ mutation }) => mutation.id)]).toEqual([
      ['fulfilled', 'rejected', 'rejected'],
      ['m1', 'm2'],
    ]);
  });

  it('I1 reports nothing as stored any more when its file was deleted, moved or replaced', async () => {
    const changes: Readonly<Record<string, () => Promise<unknown>>> = {
      deleted: () => rm(path),
      'deleted with its folder': () => rm(directory, { recursive: true }),
      moved: () => rename(path, `${path}.moved`),
      replaced: async () => {
        await copyFile(path, `${path}.backup`);
        await rename(`${path}.backup`, path);
      },
    };
    for (const [name, change] of Object.entries(changes)) {
      const storage = new FileStorage(path);
      await storage.commit({ meta: sampleMeta(), putEntries: [sampleEntry('m1', 1)] });
      await change();
      for (const batch of [{ putRecords: [sampleRecord()] }, { putEntries: [sampleEntry('m2', 2)] }]) {
        await expect(storage.commit(batch), name).rejects.toMatchObject({ name: 'StorageError', code: 'CLEARED' });
      }
      await storage.close();
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory);
    }
  });

  it('I1 makes no new file in the place of one that was deleted before its first batch', async () => {
    const storage = new FileStorage(path);
    await storage.load();
    await rm(path);
    await expect(storage.commit({ putEntries: [sampleEntry('m1', 1)] })).rejects.toMatchObject({ code: 'CLEARED' });
    await storage.close();
    expect(await readdir(directory)).toEqual([]);
  });

  it('forgets a rewrite that a crash left unfinished', async () => {
    await storeEntries(2);
    await writeFile(`${path}.new`, await readFile(path));
    await truncate(`${path}.new`, 200);
    const storage = new FileStorage(path, { compactAboveBytes: 0 });
    await storage.commit({ removeEntries: ['m1', 'm2'], putEntries: [sampleEntry('m3', 3)] });
    await storage.close();
    expect(await loadIds()).toEqual(['m3']);
    expect(await readdir(directory)).toEqual(['sync.journal']);
  });
});
