/** What resolvers may rely on when they write through a transaction's handle. */
import { feedOf, sampleState, save, task } from './store-samples.js';
import type { StoreTests } from './store-tests.contract.js';

/** Declares these tests for one implementation; part of `storeContract`. */
export function handleContract({ storeTest, storeTestWith, expect }: StoreTests): void {
  storeTest('answers what a savepoint resolves with, and throws what it throws', async ({ store }) => {
    const failure = new Error('the write failed');
    await store.transaction(async (transaction) => {
      expect(await transaction.savepoint(async () => 'written')).toBe('written');
      await expect(transaction.savepoint(() => Promise.reject(failure))).rejects.toBe(failure);
    });
  });

  storeTestWith('notes', 'commits what is written through the handle with the rest', async ({ store, notes }) => {
    await store.transaction(async (transaction) => {
      await transaction.load({ records: [task('task-1')], mutationIds: [] });
      await notes.add(transaction.handle, 'outside a savepoint');
      await transaction.savepoint(() => notes.add(transaction.handle, 'in a savepoint'));
      await transaction.save({ records: [sampleState()] });
    });
    expect(await notes.list()).toEqual(['in a savepoint', 'outside a savepoint']);
    expect(await feedOf(store)).toHaveLength(1);
  });

  storeTestWith('notes', 'rolls back what is written through the handle with the rest', async ({ store, notes }) => {
    const work = store.transaction(async (transaction) => {
      await transaction.savepoint(() => notes.add(transaction.handle, 'in a savepoint'));
      throw new Error('rolled back');
    });
    await expect(work).rejects.toThrow('rolled back');
    expect(await notes.list()).toEqual([]);
  });

  storeTestWith('notes', 'undoes a savepoint that throws, and nothing else', async ({ store, notes }) => {
    await store.transaction(async (transaction) => {
      await transaction.load({ records: [task('task-1')], mutationIds: [] });
      await transaction.savepoint(() => notes.add(transaction.handle, 'first'));
      const failed = transaction.savepoint(async () => {
        await notes.add(transaction.handle, 'second');
        throw new Error('the write failed');
      });
      await expect(failed).rejects.toThrow('the write failed');
      await transaction.savepoint(() => notes.add(transaction.handle, 'third'));
      await notes.add(transaction.handle, 'outside');
      await transaction.save({ records: [sampleState()] });
    });
    expect(await notes.list()).toEqual(['first', 'outside', 'third']);
    expect(await feedOf(store)).toHaveLength(1);
  });

  storeTestWith('notes', 'undoes a savepoint whose statement the engine refused', async ({ store, notes }) => {
    await store.transaction(async (transaction) => {
      await transaction.load({ records: [task('task-1')], mutationIds: [] });
      await transaction.savepoint(() => notes.add(transaction.handle, 'taken'));
      const refused = transaction.savepoint(async () => {
        await notes.add(transaction.handle, 'before the refusal');
        await notes.add(transaction.handle, 'taken');
      });
      await expect(refused).rejects.toThrow();
      await transaction.save({ records: [sampleState()] });
    });
    expect(await notes.list()).toEqual(['taken']);
    expect(await feedOf(store)).toHaveLength(1);
  });

  storeTestWith('notes', 'undoes an inner savepoint alone, and it with the outer one', async ({ store, notes }) => {
    await store.transaction(async (transaction) => {
      const write = (note: string) => notes.add(transaction.handle, note);
      await transaction.savepoint(async () => {
        await write('outer');
        const inner = transaction.savepoint(async () => {
          await write('inner');
          throw new Error('inner failed');
        });
        await expect(inner).rejects.toThrow('inner failed');
      });
      const outer = transaction.savepoint(async () => {
        await transaction.savepoint(() => write('inner of a failed one'));
        throw new Error('outer failed');
      });
      await expect(outer).rejects.toThrow('outer failed');
    });
    expect(await notes.list()).toEqual(['outer']);
  });

  storeTestWith('notes', 'takes no write through a handle whose savepoint has ended', async ({ store, notes }) => {
    await store.transaction(async (transaction) => {
      const late = await transaction.savepoint(async () => transaction.handle);
      await expect(notes.add(late, 'too late')).rejects.toThrow('has ended');
      await transaction.savepoint(async () => {
        const inner = await transaction.savepoint(async () => transaction.handle);
        await expect(notes.add(inner, 'too late')).rejects.toThrow('has ended');
        await notes.add(transaction.handle, 'in time');
      });
    });
    expect(await notes.list()).toEqual(['in time']);
  });

  storeTestWith('notes', 'takes no write through a handle whose transaction has ended', async ({ store, notes }) => {
    const late = await store.transaction(async (transaction) => transaction.handle);
    await expect(notes.add(late, 'too late')).rejects.toThrow('has ended');
    await save(store, { records: [sampleState()] });
    expect(await notes.list()).toEqual([]);
  });
}
