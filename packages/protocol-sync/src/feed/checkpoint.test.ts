import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Checkpoint, findPageStart, formatCheckpoint, nextCheckpoint, parseCheckpoint } from './checkpoint.js';

const places = fc.nat(1000);
const epochs = fc.uuid();
const scopes = fc.stringMatching(/^[A-Za-z0-9_-]{0,32}$/);
const checkpoints = fc
  .record({ epoch: epochs, place: places, since: places, scope: scopes, ahead: places })
  .map(({ ahead, ...checkpoint }) => ({ ...checkpoint, seen: checkpoint.place + ahead }));
const facts = fc
  .record({ head: places, floor: places, versionFloor: places, reach: fc.option(places, { nil: undefined }) })
  .map(({ head, floor, versionFloor, reach }) => ({
    epoch: 'e',
    head: Math.max(head, floor),
    floor,
    versionFloor,
    reach: reach && Math.min(reach, Math.max(head, floor)),
  }));

test('a checkpoint is read as it was written', () => {
  fc.assert(
    fc.property(checkpoints, (checkpoint) => {
      expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
    }),
  );
});

test('any text is a checkpoint that is written like that, or none', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom('.', '0', '2', '9', 'a', '-', ' ', '\n', '٣') }),
    fc.tuple(checkpoints, fc.string({ maxLength: 3 })).map(([given, more]) => formatCheckpoint(given) + more),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const found = parseCheckpoint(text);
      // A place may be written with zeros before it, and is then the same place.
      if (found) expect(parseCheckpoint(formatCheckpoint(found))).toEqual(found);
      for (const number of [found?.place ?? 0, found?.since ?? 0]) expect(Number.isSafeInteger(number)).toBe(true);
    }),
    { numRuns: 1000 },
  );
});

test('a checkpoint as earlier releases wrote it is read as one that has seen what it scanned', () => {
  expect(parseCheckpoint('2.5f0c1e1a-0000-4000-8000-000000000000.1042.7.s')).toEqual({
    epoch: '5f0c1e1a-0000-4000-8000-000000000000',
    place: 1042,
    since: 7,
    scope: 's',
    seen: 1042,
  });
});

test('I9 a page never starts behind a dropped tombstone that the walk has not passed', () => {
  fc.assert(
    fc.property(checkpoints, facts, scopes, (checkpoint: Checkpoint, store, scope) => {
      const start = findPageStart(checkpoint, store, scope);
      if (start.reset === undefined) {
        expect([checkpoint.scope, start.after]).toEqual([scope, checkpoint.place]);
        expect(checkpoint.seen).toBeLessThanOrEqual(store.reach ?? -1);
        expect(Math.max(checkpoint.place, checkpoint.since)).toBeGreaterThanOrEqual(store.floor);
        expect(checkpoint.place).toBeLessThanOrEqual(store.head);
      } else {
        expect([start.after, start.since]).toEqual([0, store.head]);
      }
    }),
    { numRuns: 1000 },
  );
});

test('a walk from the start is never expired by what is dropped while it runs below its own beginning', () => {
  fc.assert(
    fc.property(facts, fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 20 }), (store, steps) => {
      let start = findPageStart(null, store, '');
      for (const step of steps) {
        const place = Math.min(start.after + step, store.head);
        const told = { epoch: store.epoch, seen: store.head, place, scope: '', hasMore: place < store.head };
        start = findPageStart(nextCheckpoint(start, told), { ...store, reach: store.head }, '');
        expect([start.reset, start.after]).toEqual([undefined, place]);
      }
    }),
  );
});
