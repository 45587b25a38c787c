import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stateArbitrary } from './contract/model.contract.js';
import { decodeBookkeeping, encodeBookkeeping } from './record-encoding.js';

test('decodes what it encoded', () => {
  fc.assert(
    fc.property(stateArbitrary, ({ born, bornBy, deleted, fields, writes, run, origin }) => {
      const bookkeeping = { born, bornBy, deleted, fields, writes, run, origin };
      expect(decodeBookkeeping(encodeBookkeeping(bookkeeping))).toEqual(bookkeeping);
    }),
  );
});

test('writes each log id and each write once', () => {
  const write = { time: 1_700_000_000_000, logId: 'log-1', sequence: 4 };
  const text = encodeBookkeeping({
    born: 1,
    bornBy: write,
    deleted: null,
    fields: { title: 2, status: 2 },
    writes: { 2: write },
    run: { logId: 'log-1', from: 1 },
    origin: { logId: 'log-1', mutationId: 'mutation-1', sequence: 4 },
  });
  expect(text).toBe(
    '[["log-1"],1,[1700000000000,0,4],null,[0,1],[0,"mutation-1",4],[[2,[1700000000000,0,4],["title","status"]]]]',
  );
});
