import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stateArbitrary } from './contract/model.contract.js';
import { decodeBookkeeping, encodeBookkeeping } from './record-encoding.js';

test('decodes what it encoded', () => {
  fc.assert(
    fc.property(stateArbitrary, ({ born, bornBy, deleted, writes, run, origin }) => {
      const bookkeeping = { born, bornBy, deleted, writes, run, origin };
      expect(decodeBookkeeping(encodeBookkeeping(bookkeeping))).toEqual(bookkeeping);
    }),
  );
});

test('writes each log id once, and no names of fields that nobody has changed', () => {
  const write = { time: 1_700_000_000_000, logId: 'log-1', sequence: 4 };
  const text = encodeBookkeeping({
    born: 1,
    bornBy: write,
    deleted: null,
    writes: [
      { version: 1, stamp: { ...write, sequence: 1 }, fields: null },
      { version: 2, stamp: write, fields: ['title', 'status'] },
    ],
    run: { logId: 'log-1', from: 1 },
    origin: { logId: 'log-1', mutationId: 'mutation-1', sequence: 4 },
  });
  expect(text).toBe(
    '[["log-1"],1,[1700000000000,0,4],null,[0,1],[0,"mutation-1",4],[[1,[1700000000000,0,1],null],[2,[1700000000000,0,4],["title","status"]]]]',
  );
});
