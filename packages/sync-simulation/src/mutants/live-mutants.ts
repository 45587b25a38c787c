/** Rules of live updates, switched off one at a time. */
import type { ExpectedMutant } from './mutant.js';

/** 15 s, 37.5 s: a sign of life from the server, and how long a client waits for one. */
const HEARTBEAT_MS = 15_000;
const SILENCE_MS = 37_500;
/** 10 s: how long a client waits for the first word of a stream. */
const FIRST_WORD_MS = 10_000;
/** 45 s: the longest pause between the questions of a client that polls; the shortest is that of signs of life. */
const MAX_POLL_MS = 45_000;
/** 15 min: when the server ends a stream. */
const MAX_STREAM_MS = 900_000;

/** The mutants of live streams, at either end and between. */
export const LIVE_MUTANTS: readonly ExpectedMutant[] = [
  {
    name: 'no commit is told on a stream',
    breaks: 'live',
    hint: 5,
    watcher: ({ onPoke, onEnd }) => {
      let pokes = 0;
      return { onEnd, onPoke: (checkpoint) => (++pokes === 1 ? onPoke(checkpoint) : undefined) };
    },
  },
  {
    name: 'a stream does not begin with where the feed stands',
    breaks: 'live',
    hint: 5,
    watcher: ({ onPoke, onEnd }) => {
      let pokes = 0;
      return { onEnd, onPoke: (checkpoint) => (++pokes > 1 ? onPoke(checkpoint) : undefined) };
    },
  },
  {
    name: 'a stream names places that no pull ends with',
    breaks: 'live',
    hint: 5,
    watcher: ({ onPoke, onEnd }) => ({
      onEnd,
      onPoke: (checkpoint) => onPoke(checkpoint.replace(/^(2\.[^.]+\.\d+)\.0\./, '$1.1.')),
    }),
  },
  {
    name: 'a stream tells what has changed',
    breaks: 'I12',
    hint: 5,
    watcher: ({ onPoke, onEnd }) => ({ onEnd, onPoke: (checkpoint) => onPoke(`${checkpoint} task a`) }),
  },
  {
    name: 'a stream gives no sign of life',
    breaks: 'live',
    hint: 5,
    goesOffAtServer: (delayMs) => delayMs !== HEARTBEAT_MS,
  },
  {
    name: 'the server never ends a stream',
    breaks: 'live',
    hint: 5,
    goesOffAtServer: (delayMs) => delayMs !== MAX_STREAM_MS,
  },
  {
    name: 'a user has as many streams as they like',
    breaks: 'live',
    hint: 46,
    streamUser: uniqueUsers(),
  },
  {
    name: 'a stream goes on after its client has left it',
    breaks: 'live',
    hint: 5,
    isStreamKept: true,
  },
  {
    name: 'live updates go on in a page that nobody looks at',
    breaks: 'live',
    hint: 5,
    isRestless: true,
  },
  {
    name: 'a stream that has fallen silent is waited for',
    breaks: 'live',
    hint: 5,
    goesOff: (delayMs) => delayMs !== SILENCE_MS,
  },
  {
    name: 'a stream that does not begin to speak is waited for',
    breaks: 'live',
    hint: 17,
    goesOff: (delayMs) => delayMs !== FIRST_WORD_MS,
  },
  {
    name: 'a client without a stream does not ask',
    breaks: 'live',
    hint: 61,
    goesOff: (delayMs) => delayMs < HEARTBEAT_MS || delayMs > MAX_POLL_MS || delayMs === SILENCE_MS,
  },
  {
    name: 'a stream that ends is followed by the next without a pause',
    breaks: 'live',
    hint: 17,
    jitter: () => 0,
  },
];

/** Another user for each stream. */
function uniqueUsers(): (token: string) => string {
  let streams = 0;
  return (token) => `${token} ${++streams}`;
}
