import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeLine, encodeLine } from './journal-line.js';

const lineArbitrary = fc.record({
  text: fc.json(),
  synced: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
});

test('reads what it wrote', () => {
  fc.assert(
    fc.property(lineArbitrary, (line) => {
      expect(decodeLine(encodeLine(line).subarray(0, -1))).toEqual(line);
    }),
  );
});

test('writes one line that is JSON by itself', () => {
  fc.assert(
    fc.property(lineArbitrary, ({ text, synced }) => {
      const line = Buffer.from(encodeLine({ text, synced })).toString();
      expect(line.indexOf('\n')).toBe(line.length - 1);
      expect(JSON.parse(line).slice(1)).toEqual([synced, JSON.parse(text)]);
    }),
  );
});

test('reads no line of which a byte was changed or cut off', () => {
  fc.assert(
    fc.property(lineArbitrary, fc.nat(), fc.integer({ min: 1, max: 255 }), (line, at, change) => {
      const bytes = encodeLine(line).subarray(0, -1);
      const position = at % bytes.length;
      expect(decodeLine(bytes.subarray(0, position))).toBeUndefined();
      bytes[position] = (bytes[position] ?? 0) ^ change;
      expect(decodeLine(bytes)).toBeUndefined();
    }),
  );
});
