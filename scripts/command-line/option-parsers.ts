/** What the project's own commands read from their options; a wrong one ends the command before it has done anything. */
import { InvalidArgumentError } from 'commander';

/** A whole number from 1, as a count or a size is. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < 1) {
    throw new InvalidArgumentError('It must be a whole number from 1.');
  }
  return count;
}

/** `3`, or all of `1..100`: the first and the last. */
export function parseRange(text: string): readonly [number, number] {
  const bounds = text.split('..');
  if (bounds.length > 2) throw new InvalidArgumentError('It must be one number, or two as in 1..100.');
  const [first = 1, last = first] = bounds.map(parseCount);
  if (last < first) throw new InvalidArgumentError('The last must not be below the first.');
  return [first, last];
}

/** A parser of names apart from each other by commas, all of them among `known`. */
export function parseSome<Name extends string>(known: readonly Name[]): (text: string) => readonly Name[] {
  return (text) =>
    text.split(',').map((asked) => {
      const name = known.find((each) => each === asked);
      if (name === undefined) throw new InvalidArgumentError(`"${asked}" is none of ${known.join(', ')}.`);
      return name;
    });
}
