import { expect, it } from 'vitest';
import { TestClock } from './platform/test-clock.js';
import { messageOf, printSparingly } from './print-sparingly.js';

const PRINT_PAUSE_MS = 10_000;

function printer() {
  const printed: string[] = [];
  const clock = new TestClock();
  const print = printSparingly<Error>(
    (error, more) => printed.push([error.message, ...more].join(' ')),
    messageOf,
    clock,
  );
  return { clock, printed, tell: (message: string) => print(new Error(message)) };
}

it('prints what fails in the same way a thousand times once in 10 s, and then how often it was', async () => {
  const { clock, printed, tell } = printer();
  for (let count = 0; count < 1000; count++) tell('The database is away.');
  tell('The resolver failed.');
  await clock.advance(PRINT_PAUSE_MS - 1);
  tell('The database is away.');
  await clock.advance(1);
  tell('The database is away.');
  tell('The resolver failed.');
  expect(printed).toEqual([
    'The database is away.',
    'The resolver failed.',
    'The database is away. (1000 more like this since it was last printed)',
    'The resolver failed.',
  ]);
});

it('says how often it was of each of two that fail at the same time', async () => {
  const { clock, printed, tell } = printer();
  const both = ['The database is away.', 'The resolver failed.'];
  for (const message of [...both, ...both]) tell(message);
  await clock.advance(PRINT_PAUSE_MS);
  for (const message of both) tell(message);
  const again = both.map((message) => `${message} (1 more like this since it was last printed)`);
  expect(printed).toEqual([...both, ...again]);
});

it('prints again when the clock was set back', async () => {
  const { clock, printed, tell } = printer();
  tell('The database is away.');
  await clock.advance(-3_600_000);
  tell('The database is away.');
  expect(printed).toEqual(['The database is away.', 'The database is away.']);
});
