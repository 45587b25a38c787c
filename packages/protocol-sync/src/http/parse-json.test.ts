import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SyncRequestError } from '../sync-request-error.js';
import { checkDepth, MAX_BODY_DEPTH, parseJson } from './parse-json.js';

const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

/** What the text means, or the code it is refused with. */
function outcome(parse: () => unknown): unknown {
  try {
    return { value: parse() };
  } catch (error) {
    if (!(error instanceof SyncRequestError)) throw error;
    return { refused: error.code, because: error.message };
  }
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

it('agrees with JSON.parse on whatever JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

it('agrees with JSON.parse on any text, but for keys that stand twice', () => {
  const jsonish = fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ':', ',', '1', 'a', ' ', 'null') });
  fc.assert(
    fc.property(fc.oneof(jsonish, fc.string({ unit: 'binary' })), (text) => {
      const found = outcome(() => parseJson(text));
      const expected = parsed(text) ?? { refused: 'MALFORMED', because: 'The body is not JSON. Send one JSON object.' };
      const repeats = 'The body has an object with the same key twice. Send each key once.';
      fc.pre(!(JSON.stringify(found) === JSON.stringify({ refused: 'MALFORMED', because: repeats })));
      expect(found).toEqual(expected);
    }),
    // Each text that is no JSON costs an error with its stack: many more would take seconds on a busy machine.
    { numRuns: 500 },
  );
});

it('refuses a key that stands twice, at any depth and however it is written', () => {
  const because = 'The body has an object with the same key twice. Send each key once.';
  const texts = [
    '{"a":1,"a":1}',
    '[{"b":{"a":{},"a":[]}}]',
    '{"a":1,"\\u0061":2}',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
  ];
  expect(texts.map((text) => outcome(() => parseJson(text)))).toEqual(
    texts.map(() => ({ refused: 'MALFORMED', because })),
  );
});

it('does not mistake colons, braces and quotes inside strings for structure', () => {
  const value = { 'a:b"{': ':::[[[', nested: ['{"a":1,"a":2}', '\\"', '\\'] };
  expect(parseJson(JSON.stringify(value))).toEqual(value);
});

it('keeps __proto__ a plain key, for the schema to refuse in its mutation alone', () => {
  const value = parseJson('{"__proto__":{"admin":true}}');
  expect([Object.keys(value as object), (value as { admin?: unknown }).admin]).toEqual([['__proto__'], undefined]);
});

it('takes what is nested to the limit and refuses one level more before parsing it', () => {
  const because = `The body is nested deeper than ${MAX_BODY_DEPTH} levels. Flatten it.`;
  expect(outcome(() => parseJson(nested(MAX_BODY_DEPTH)))).toHaveProperty('value');
  expect(outcome(() => parseJson(nested(MAX_BODY_DEPTH + 1)))).toEqual({ refused: 'MALFORMED', because });
  expect(outcome(() => parseJson(nested(500_000)))).toEqual({ refused: 'MALFORMED', because });
});

it('counts how deep a body is, and not how many lists and objects it has', () => {
  const wide = JSON.stringify(Array.from({ length: MAX_BODY_DEPTH + 1 }, () => [{ key: 1 }]));
  expect(outcome(() => parseJson(wide))).toHaveProperty('value');
  const deepAtFirst = `[${nested(MAX_BODY_DEPTH)},[]]`;
  const deepAtLast = `[${'[],'.repeat(MAX_BODY_DEPTH)}${nested(MAX_BODY_DEPTH)}]`;
  for (const deep of [deepAtFirst, deepAtLast]) {
    expect(outcome(() => parseJson(deep))).toMatchObject({ refused: 'MALFORMED' });
  }
});

it('holds a value parsed elsewhere to the same depth', () => {
  const because = `The body is nested deeper than ${MAX_BODY_DEPTH} levels. Flatten it.`;
  expect(outcome(() => checkDepth(JSON.parse(nested(MAX_BODY_DEPTH))))).toEqual({ value: undefined });
  expect(outcome(() => checkDepth(JSON.parse(nested(MAX_BODY_DEPTH + 1))))).toEqual({ refused: 'MALFORMED', because });
  expect(outcome(() => checkDepth(JSON.parse(nested(500_000))))).toEqual({ refused: 'MALFORMED', because });
});

it('names no content of a body it refuses', () => {
  expect(outcome(() => parseJson('{"password": hunter2}'))).toEqual({
    refused: 'MALFORMED',
    because: 'The body is not JSON. Send one JSON object.',
  });
});
