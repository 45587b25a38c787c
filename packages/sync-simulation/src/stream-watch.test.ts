import { expect, it } from 'vitest';
import { Gate } from './gate.js';
import { Random } from './random.js';
import type { ServerTruth } from './server-truth.js';
import { StreamWatch } from './stream-watch.js';
import { Verdict } from './violation.js';
import { VirtualTime } from './virtual-time.js';

/** What a watch reports while `work` goes on, at a server whose feed ends at place 5. */
function judge(work: (watch: StreamWatch, time: VirtualTime) => void) {
  const verdict = new Verdict();
  const time = new VirtualTime();
  const truth: Pick<ServerTruth, 'head'> = { head: 5 };
  work(new StreamWatch({ verdict, now: () => time.now(), truth: () => truth }), time);
  return verdict.first?.invariant;
}

function streamOf(user: string, openedAt = 0) {
  const gate = new Gate({
    time: new VirtualTime(),
    random: new Random('gate'),
    faults: () => ({ slow: 0, fail: 0 }),
    onCrash: () => {},
  });
  const headers = { authorization: `Bearer ${user}` };
  const request = new Request('https://server.test/api/sync/stream?checkpoint=2.e.3.0.scope', { headers });
  return { gate, request, openedAt };
}

it('sees a client that asks for streams without a pause', () => {
  const ask = (times: number, pauseMs: number) =>
    judge((watch, time) => {
      const { gate } = streamOf('u0');
      for (let nth = 0; nth < times; nth++) {
        time.moveTo(time.now() + pauseMs);
        watch.asked({ name: 'device 0', gate });
      }
    });
  expect([ask(60, 0), ask(61, 0), ask(100, 3000)]).toEqual([undefined, 'live', undefined]);
});

it('sees a process that serves more streams to a user than it should', () => {
  const open = (count: number, user: (nth: number) => string) =>
    judge((watch) => {
      const { gate } = streamOf('u0');
      const streams = Array.from({ length: count }, (_, nth) => ({ ...streamOf(user(nth)), gate }));
      for (const stream of streams) watch.opened(streams, stream);
    });
  expect([open(5, () => 'u0'), open(6, () => 'u0'), open(6, (nth) => `u${nth}`)]).toEqual([
    undefined,
    'live',
    undefined,
  ]);
});

it('sees a stream that goes on after 15 minutes', () => {
  const speakAfter = (ms: number) =>
    judge((watch, time) => {
      const stream = streamOf('u0', time.now());
      time.moveTo(time.now() + ms);
      watch.said(':\n\n', stream);
    });
  expect([speakAfter(900_000), speakAfter(900_001)]).toEqual([undefined, 'live']);
});

it('I12 sees a stream that says more than where the feed ends, in the terms of its client', () => {
  const say = (text: string) => judge((watch, time) => watch.said(text, streamOf('u0', time.now())));
  const poke = (data: object) => say(`event: poke\ndata: ${JSON.stringify(data)}\n\n`);
  const checkpoint = '2.e.5.0.scope';
  expect([say(':\n\n'), poke({ checkpoint }), poke({ checkpoint: '2.e.4.0.scope' })]).toEqual(Array(3).fill(undefined));
  expect([
    say(': u1 is here\n\n'),
    poke({ checkpoint, recordId: 'a' }),
    poke({ checkpoint: '2.e.6.0.scope' }),
    poke({ checkpoint: '2.e.4.0.scope.5' }),
    poke({ checkpoint: '2.e.5.0.another' }),
  ]).toEqual(Array(5).fill('I12'));
});
