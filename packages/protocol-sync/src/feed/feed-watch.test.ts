import { expect, test } from 'vitest';
import { TestClock } from '../platform/test-clock.js';
import { sampleState, save } from '../storage/contract/store-samples.js';
import { MemoryStore } from '../storage/memory/memory-store.js';
import { StoreBusyError } from '../storage/sync-store.js';
import { FeedWatch, READ_MS } from './feed-watch.js';

/** Ten pokes a second at most. */
const POKE_PAUSE_MS = 100;

async function watched() {
  const platform = new TestClock();
  const store = new MemoryStore({ platform });
  await store.open();
  const watch = new FeedWatch({ store, platform });
  const heard: string[] = [];
  const add = (scope = '') =>
    watch.add({ scope, onPoke: (checkpoint) => heard.push(checkpoint), onEnd: () => heard.push('end') });
  let version = 0;
  const commit = () => save(store, { records: [sampleState({ version: ++version })] });
  return { platform, store, watch, heard, add, commit };
}

test('tells at once where the feed stands, and every commit after that', async () => {
  const { platform, heard, add, commit } = await watched();
  await commit();
  await add();
  await commit();
  await platform.advance(POKE_PAUSE_MS);
  await commit();
  await platform.advance(POKE_PAUSE_MS);
  expect(heard).toEqual(['2.id-1.1.0.', '2.id-1.2.0.', '2.id-1.3.0.']);
});

test('tells commits that come close together as one, and the last of them always', async () => {
  const { platform, heard, add, commit } = await watched();
  await add();
  for (let count = 0; count < 50; count++) await commit();
  await platform.advance(POKE_PAUSE_MS - 1);
  const during = [...heard];
  await platform.advance(1);
  expect([during.length, heard.length, heard.at(-1)]).toEqual([2, 3, '2.id-1.50.0.']);
  await platform.advance(10 * POKE_PAUSE_MS);
  expect(heard.length).toBe(3);
});

test('I12 tells each watcher the same place, under the scope it came with', async () => {
  const { platform, heard, add, commit } = await watched();
  await add('everything');
  await add('half');
  await commit();
  await platform.advance(0);
  expect(heard).toEqual(['2.id-1.0.0.everything', '2.id-1.0.0.half', '2.id-1.1.0.everything', '2.id-1.1.0.half']);
});

test('misses no commit that comes while it reads where the feed stands', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const { platform, heard, add, commit } = await watched();
    const added = add();
    for (let count = 0; count < turns; count++) await Promise.resolve();
    await commit();
    await added;
    await platform.advance(POKE_PAUSE_MS);
    expect([turns, heard.at(-1)]).toEqual([turns, '2.id-1.1.0.']);
  }
});

test('tells later what the store was too busy to tell at once, and asks it once a second till then', async () => {
  const { platform, store, heard, add, commit } = await watched();
  await add();
  const { page } = store;
  let reads = 0;
  store.page = async () => {
    reads += 1;
    throw new Error('The store is busy.');
  };
  await commit();
  await platform.advance(4999);
  const before = [...heard];
  store.page = page;
  await platform.advance(1);
  expect([before, reads, heard]).toEqual([['2.id-1.0.0.'], 5, ['2.id-1.0.0.', '2.id-1.1.0.']]);
});

test('I13 goes on when the store never answers, as behind a connection that fell silent', async () => {
  const { platform, store, heard, add, commit } = await watched();
  await add();
  const { page } = store;
  store.page = () => new Promise(() => {});
  await commit();
  const refused = expect(add()).rejects.toThrow(StoreBusyError);
  await platform.advance(READ_MS);
  await refused;
  store.page = page;
  await platform.advance(1000);
  expect(heard).toEqual(['2.id-1.0.0.', '2.id-1.1.0.']);
  await platform.advance(POKE_PAUSE_MS);
  expect(platform.armed).toBe(0);
});

test('tells of the new feed when a backup was restored', async () => {
  const { platform, store, heard, add, commit } = await watched();
  await add();
  await store.changeEpoch();
  await commit();
  await platform.advance(0);
  expect(heard).toEqual(['2.id-1.0.0.', '2.id-2.1.0.']);
});

test('leaves nothing behind when the last watcher goes', async () => {
  const { platform, heard, add, commit } = await watched();
  const remove = await add();
  await commit();
  await platform.advance(0);
  remove();
  remove();
  await commit();
  await platform.advance(5000);
  expect([heard, platform.armed]).toEqual([['2.id-1.0.0.', '2.id-1.1.0.'], 0]);
});

test('leaves nothing behind when the last watcher goes in the midst of being told', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const { platform } = await leftIn(turns);
    await platform.advance(0);
    expect([turns, platform.armed]).toEqual([turns, 0]);
  }
});

test('leaves nothing behind when another watcher comes while the last one is told as it goes', async () => {
  for (let turns = 0; turns < 12; turns++) {
    const { platform, add, commit } = await leftIn(turns);
    const added = add();
    await commit();
    const removeNext = await added;
    await platform.advance(0);
    removeNext();
    expect([turns, platform.armed]).toEqual([turns, 0]);
  }
});

/** What watches a feed, so many turns after a commit, when its only watcher has just gone. */
async function leftIn(turns: number) {
  const parts = await watched();
  const remove = await parts.add();
  await parts.commit();
  for (let count = 0; count < turns; count++) await Promise.resolve();
  remove();
  return parts;
}

test('goes on telling the others when one of them goes, and reads nothing for nobody', async () => {
  const { platform, store, heard, add, commit } = await watched();
  const [removeOne, removeOther] = [await add('one'), await add('other')];
  removeOne();
  await commit();
  await platform.advance(0);
  removeOther();
  let reads = 0;
  const { page } = store;
  store.page = (query) => {
    reads += 1;
    return page.call(store, query);
  };
  await commit();
  await platform.advance(5000);
  expect([heard.slice(2), reads]).toEqual([['2.id-1.1.0.other'], 0]);
});

test('tells a new watcher nothing older than what it was told while it came', async () => {
  const { platform, store, heard, add, commit } = await watched();
  const { page } = store;
  let answer = (): void => {};
  store.page = async (query) => {
    store.page = page;
    const before = await page.call(store, query);
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return before;
  };
  const added = add();
  await platform.advance(0);
  await commit();
  await platform.advance(0);
  answer();
  await added;
  expect(heard).toEqual(['2.id-1.1.0.']);
});

test('reads twice for all who come at once, as after a restart, and takes no more connections for it', async () => {
  const { store, heard, add } = await watched();
  const { page } = store;
  let [reads, underWay, most] = [0, 0, 0];
  store.page = async (query) => {
    reads += 1;
    underWay += 1;
    most = Math.max(most, underWay);
    const found = await page.call(store, query);
    await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
    return found;
  };
  const first = add();
  await Promise.resolve();
  await Promise.all([first, ...Array.from({ length: 100 }, () => add())]);
  expect([reads, most, heard]).toEqual([2, 1, Array.from({ length: 101 }, () => '2.id-1.0.0.')]);
});

test('watches for nobody who could not be told where the feed stands', async () => {
  const { platform, store, heard, add, commit } = await watched();
  const { page } = store;
  store.page = () => Promise.reject(new Error('The store is busy.'));
  await expect(add()).rejects.toThrow('busy');
  store.page = page;
  await commit();
  await platform.advance(0);
  expect([heard, platform.armed]).toEqual([[], 0]);
  // Whoever comes later is told again.
  await add();
  expect(heard).toEqual(['2.id-1.1.0.']);
});

test('watches again after the last watcher went', async () => {
  const { platform, heard, add, commit } = await watched();
  const remove = await add();
  await commit();
  // It pauses now.
  await platform.advance(0);
  remove();
  await add();
  await commit();
  await platform.advance(0);
  expect(heard).toEqual(['2.id-1.0.0.', '2.id-1.1.0.', '2.id-1.1.0.', '2.id-1.2.0.']);
});

test('tells nothing to who comes while it closes but that it is over', async () => {
  const { watch, heard, add } = await watched();
  const added = add();
  watch.close();
  await expect(added).rejects.toMatchObject({ code: 'BUSY' });
  expect(heard).toEqual(['end']);
});

test('ends every watcher once when it closes, and takes no more', async () => {
  const { platform, watch, heard, add, commit } = await watched();
  await add();
  await add();
  watch.close();
  watch.close();
  await commit();
  await platform.advance(5000);
  expect(heard).toEqual(['2.id-1.0.0.', '2.id-1.0.0.', 'end', 'end']);
  await expect(add()).rejects.toMatchObject({ code: 'BUSY', status: 503 });
});
