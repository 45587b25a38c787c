/** The next page is asked for while the one before is being stored, or read: never on top of what may change. */
import { expect, test } from 'vitest';
import { device } from '../fixtures/device.js';
import { applies, appliesWith, change, rejects, type ScriptedServer, type Step } from '../fixtures/scripted-server.js';
import { turns } from '../fixtures/turns.js';

/** A device of a server that answers so, and what happens in turn: asked from where and for how many, answered, stored. */
function watched(step: Step) {
  const happened: string[] = [];
  const watches: Step = async (request, ...call) => {
    happened.push(`asked ${request.lastCheckpoint} ${request.mutations.map(({ recordId }) => recordId)}`.trim());
    const answer = await step(request, ...call);
    happened.push('answered');
    return answer;
  };
  const made = device({ otherwise: watches });
  made.storage.before('commit', async ({ meta, expectCheckpoint }) => {
    if (expectCheckpoint === undefined) return;
    // Lets the request that was made meanwhile come to the server.
    await turns(20);
    happened.push(`stored ${meta?.checkpoint}`);
  });
  return { ...made, happened };
}

/** Answers the first of so many pages, or the one behind the checkpoint. */
function pages(last: number): Step {
  return (request, ...call) => {
    const number = Number(request.lastCheckpoint ?? 0) + 1;
    const answer = { serverChanges: [change(`s${number}`)], checkpoint: `${number}`, hasMore: number < last };
    return appliesWith(answer)(request, ...call);
  };
}

test('asks for the next page while the one before is being stored, and for none behind the last', async () => {
  const { tasks, happened, seen } = watched(pages(3));
  await tasks.sync();
  expect(happened).toEqual([
    'asked null',
    'answered',
    'asked 1',
    'answered',
    'stored 1',
    'asked 2',
    'answered',
    'stored 2',
    'stored 3',
  ]);
  expect(Object.keys(await seen())).toEqual(['s1', 's2', 's3']);
});

/** Answers pages, each of which takes a while to be read once it has told where the next one begins. */
function announcedPages(last: number, announced = (number: number) => number): Step {
  return async (request, server, options) => {
    const number = Number(request.lastCheckpoint ?? 0) + 1;
    if (number < last) options?.onNextPage?.(`${announced(number)}`);
    await turns(20);
    return pages(last)(request, server, options);
  };
}

test('asks for the next page while the one before is being read, and for the one behind that only when it is', async () => {
  const { tasks, happened, seen } = watched(announcedPages(4));
  await tasks.sync();
  expect(happened.slice(0, 5)).toEqual(['asked null', 'asked 1', 'answered', 'answered', 'stored 1']);
  expect(happened.filter((line) => line.startsWith('asked'))).toEqual(['asked null', 'asked 1', 'asked 2', 'asked 3']);
  expect(Object.keys(await seen())).toEqual(['s1', 's2', 's3', 's4']);
});

test('I6 stores nothing of a page that was announced wrongly', async () => {
  const { tasks, happened, seen } = watched(announcedPages(3, (number) => number + 1));
  await tasks.sync();
  const stored = happened.filter((line) => line.startsWith('stored'));
  expect([stored, Object.keys(await seen())]).toEqual([
    ['stored 1', 'stored 2', 'stored 3'],
    ['s1', 's2', 's3'],
  ]);
});

test('sends what there is to send while a page is being read', async () => {
  const { tasks, happened } = watched(async (request, server, options) => {
    if (server.requests.length === 1) {
      tasks.records.create('mine', { title: 'mine' });
      await tasks.flush();
    }
    return announcedPages(3)(request, server, options);
  });
  await tasks.sync();
  expect(happened.slice(0, 4)).toEqual(['asked null', 'asked 1 mine', 'answered', 'answered']);
});

test('I6 begins again at what is stored when a page fails while the next one is being read', async () => {
  let failures = 1;
  const { tasks, happened, platform, seen } = watched(async (request, ...call) => {
    const answered = await announcedPages(4)(request, ...call);
    if (request.lastCheckpoint === '1' && failures-- > 0) throw new Error('The connection broke.');
    return answered;
  });
  await tasks.sync();
  const failed = [tasks.getCheckpoint(), happened.filter((line) => line.startsWith('asked'))];
  await platform.advance(60_000);
  expect([failed, Object.keys(await seen())]).toEqual([
    ['1', ['asked null', 'asked 1', 'asked 2']],
    ['s1', 's2', 's3', 's4'],
  ]);
});

test('I6 asks anew for whoever joins before a last page that announces another', async () => {
  let joined: Promise<unknown> | undefined;
  const { tasks, happened, seen } = watched((request, server, options) => {
    if (server.requests.length === 1) {
      joined = tasks.sync();
      options?.onNextPage?.('9');
    }
    return pages(1)(request, server, options);
  });
  await tasks.sync();
  await joined;
  const asked = happened.filter((line) => line.startsWith('asked'));
  expect([asked, Object.keys(await seen())]).toEqual([
    ['asked null', 'asked 9', 'asked 1'],
    ['s1', 's2'],
  ]);
});

/** A line that brings an answer over in 20 seconds; several under way share it. */
function slowLine() {
  let sharing = 0;
  return async (server: ScriptedServer, signal?: AbortSignal) => {
    sharing += 1;
    for (let leftMs = 20_000; leftMs > 0 && !signal?.aborted; leftMs -= 1000 / sharing) await server.wait(1000);
    sharing -= 1;
  };
}

test('I13 gets through a line on which two pages at once take longer than a request may', async () => {
  const line = slowLine();
  const { tasks, seen, platform } = watched(async (request, server, options) => {
    const number = Number(request.lastCheckpoint ?? 0) + 1;
    if (number < 4) options?.onNextPage?.(`${number}`);
    await line(server, options?.signal);
    return pages(4)(request, server, options);
  });
  void tasks.sync();
  await platform.advance(600_000);
  expect([Object.keys(await seen()), tasks.status.state]).toEqual([['s1', 's2', 's3', 's4'], 'idle']);
});

test('I6 forgets what it asked ahead when the answer before it cannot be stored, and asks no second time meanwhile', async () => {
  const { tasks, happened, storage, platform, seen } = watched(pages(3));
  storage.before('commit', ({ meta }) => {
    if (meta?.checkpoint !== '2') return;
    storage.heal();
    throw new Error('full');
  });
  await tasks.sync();
  const checkpoint = tasks.getCheckpoint();
  await platform.advance(60_000);
  expect([checkpoint, happened.filter((line) => line.startsWith('asked'))]).toEqual([
    '1',
    ['asked null', 'asked 1', 'asked 2', 'asked 1', 'asked 2'],
  ]);
  expect(Object.keys(await seen())).toEqual(['s1', 's2', 's3']);
});

test('sends what is recorded during a long first sync before the pages behind it', async () => {
  const { tasks, happened, server } = watched((request, server, options) => {
    if (server.requests.length === 2) tasks.records.create('mine', { title: 'mine' });
    return pages(6)(request, server, options);
  });
  await tasks.sync();
  const sent = server.requests.findIndex(({ mutations }) => mutations.length > 0);
  expect([sent > 0 && sent < 5, happened.filter((line) => line.startsWith('stored')).at(-1)]).toEqual([
    true,
    'stored 6',
  ]);
});

test('I3 asks for nothing ahead of an outcome that may hold a record back', async () => {
  const { tasks, happened, server } = watched((request, server, options) =>
    (server.requests.length === 1 ? rejects({ code: 'BUSY', retryable: true }) : applies)(request, server, options),
  );
  for (let n = 0; n < 50; n++) tasks.records.create('held', { title: `${n}` });
  tasks.records.create('held', { title: 'last' });
  tasks.records.create('free', { title: 'x' });
  await tasks.sync();
  expect(happened.filter((line) => !line.startsWith('stored null')).slice(1, 4)).toEqual([
    'answered',
    'stored place-1',
    'asked place-1 free',
  ]);
  expect(server.requests.length).toBe(2);
});
