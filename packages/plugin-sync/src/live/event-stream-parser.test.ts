import { createParser } from 'eventsource-parser';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventStreamParser, type StreamEvent } from './event-stream-parser.js';

function parsed(pieces: readonly string[]): readonly StreamEvent[] {
  const parser = new EventStreamParser();
  return pieces.flatMap((piece) => parser.push(piece));
}

test('reads a poke, and passes over signs of life', () => {
  expect(parsed([':\n\nevent: poke\ndata: {"checkpoint":"2.a.1.0."}\n\n:\n\n'])).toEqual([
    { type: 'poke', data: '{"checkpoint":"2.a.1.0."}' },
  ]);
});

test('reads the examples of the standard', () => {
  expect(
    parsed(['data: YHOO\ndata: +2\ndata: 10\n\n', 'data\n\ndata\ndata\n\ndata:', 'data:test\n\ndata: test\n\n']),
  ).toEqual([
    { type: 'message', data: 'YHOO\n+2\n10' },
    { type: 'message', data: '' },
    { type: 'message', data: '\n' },
    { type: 'message', data: 'data:test' },
    { type: 'message', data: 'test' },
  ]);
});

test('reads what a widely used parser reads, however the stream is cut', () => {
  const line = fc.oneof(
    fc.constantFrom('data', 'data:', 'data: ', 'event', ':', ': beat', 'id: 7', 'retry: 5', '', ''),
    fc
      .tuple(fc.constantFrom('data', 'event', 'other', 'dat'), fc.string())
      .map(([field, value]) => `${field}: ${value}`),
    fc.string(),
  );
  const end = fc.constantFrom('\n', '\r\n', '\r');
  // A line feed at the end, because parsers may take a carriage return there for a line's end, or wait for more.
  const text = fc.array(fc.tuple(line, end)).map((lines) => `${lines.flat().join('')}\n`);
  const law = fc.property(text, fc.array(fc.nat(), { maxLength: 8 }), (stream, cuts) => {
    const events: StreamEvent[] = [];
    const reference = createParser({
      onEvent: ({ event = 'message', data }) => void events.push({ type: event, data }),
    });
    const pieces = cutAt(stream, cuts);
    for (const piece of pieces) reference.feed(piece);
    expect(parsed(pieces)).toEqual(events);
  });
  fc.assert(law, { numRuns: 2000 });
});

for (const [what, piece] of [
  ['a line', 'x'],
  ['an event', 'data: x\n'],
] as const) {
  test(`gives up on what never ends ${what}`, () => {
    const parser = new EventStreamParser();
    expect(() => {
      for (let pieces = 0; pieces < 100; pieces++) parser.push(piece.repeat(1024));
    }).toThrow('This is no stream of events.');
  });
}

test('reads any number of events, though all of them are longer than one may be', () => {
  const event = `data: ${'x'.repeat(1000)}\n\n`;
  expect([parsed([event.repeat(100)]).length, parsed(Array(100).fill(event)).length]).toEqual([100, 100]);
});

function cutAt(text: string, cuts: readonly number[]): readonly string[] {
  const places = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  return places.slice(1).map((place, index) => text.slice(places[index], place));
}
