import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mergeByPlace, PlaceIndex } from './place-index.js';

test('yields what is left after any place, in order', () => {
  const removals = fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 900 });
  fc.assert(
    fc.property(removals, fc.array(fc.integer({ min: 0, max: 1001 }), { minLength: 1 }), (removed, starts) => {
      const index = indexOf(1000);
      for (const place of removed) index.remove(place);
      const left = placesUpTo(1000).filter((place) => !removed.includes(place));
      for (const start of starts) {
        expect([...index.after(start)].map(({ place }) => place)).toEqual(left.filter((place) => place > start));
      }
    }),
  );
});

test('keeps nothing of the places that things have left', () => {
  const index = new PlaceIndex<{ readonly place: number }>();
  for (let place = 1; place <= 100_000; place++) {
    index.add({ place });
    index.remove(place - 1);
  }
  expect([...index.after(0)]).toEqual([{ place: 100_000 }]);
  expect(index.bucketCount).toBe(1);
});

test('merges sequences in order of places, as far as it is read', () => {
  const read: number[] = [];
  const noting = function* (places: readonly number[]) {
    for (const place of places) {
      read.push(place);
      yield { place };
    }
  };
  const merged = mergeByPlace([noting([1, 4, 5]), noting([]), noting([2, 3, 9])]);
  const firstThree = [merged.next(), merged.next(), merged.next()].map(({ value }) => value?.place);
  expect(firstThree).toEqual([1, 2, 3]);
  expect(read.toSorted()).toEqual([1, 2, 3, 4]);
  expect([...merged].map(({ place }) => place)).toEqual([4, 5, 9]);
});

function placesUpTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function indexOf(count: number): PlaceIndex<{ readonly place: number }> {
  const index = new PlaceIndex<{ readonly place: number }>();
  for (const place of placesUpTo(count)) index.add({ place });
  return index;
}
