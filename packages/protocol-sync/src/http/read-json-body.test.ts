import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { SyncRequestError } from '../sync-request-error.js';
import { attachParsedBody } from './body-at-hand.js';
import { MAX_BODY_DEPTH } from './parse-json.js';
import { readJsonBody } from './read-json-body.js';
import { webCall } from './web-call.js';

const MAX_BYTES = 10_000;
const JSON_TYPE = { 'content-type': 'application/json' };
const GZIPPED = { ...JSON_TYPE, 'content-encoding': 'gzip' };

function requestWith(body: BodyInit | null, headers: Record<string, string> = JSON_TYPE): Request {
  // `duplex` is missing from the DOM's types; Node demands it for a streamed body.
  const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, headers, duplex: 'half' };
  return new Request('http://localhost/api/sync/push', init);
}

async function read(request: Request, signal = new AbortController().signal): Promise<unknown> {
  try {
    return { value: await readJsonBody(webCall(request), { maxBytes: MAX_BYTES, signal }) };
  } catch (error) {
    if (!(error instanceof SyncRequestError)) throw error;
    return { refused: error.code, because: error.message };
  }
}

it('reads JSON, plain and gzipped, whole and in pieces', async () => {
  const text = JSON.stringify({ title: 'Grüße ✓', list: [1, null, true] });
  const pieces = new ReadableStream({
    start(controller) {
      for (const byte of new TextEncoder().encode(text)) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });
  const value = JSON.parse(text);
  expect(await read(requestWith(text))).toEqual({ value });
  expect(await read(requestWith(pieces))).toEqual({ value });
  expect(await read(requestWith(gzipSync(text), GZIPPED))).toEqual({ value });
  expect(await read(requestWith(gzipSync(text), { ...GZIPPED, 'content-encoding': 'X-Gzip' }))).toEqual({ value });
});

it('takes a body that a framework has parsed, and refuses one that is nested too deep', async () => {
  const parsed = (body: unknown) => read(attachParsedBody(requestWith(null), body));
  const deep = JSON.parse('['.repeat(MAX_BODY_DEPTH + 1) + ']'.repeat(MAX_BODY_DEPTH + 1));
  expect([await parsed({ title: 'x' }), await parsed(null)]).toEqual([{ value: { title: 'x' } }, { value: null }]);
  expect(await parsed({ deep })).toMatchObject({ refused: 'MALFORMED' });
});

it('throws nothing but SyncRequestError, whatever the bytes', async () => {
  const headers = fc.constantFrom(JSON_TYPE, GZIPPED);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), headers, async (bytes, chosen) => {
      await read(requestWith(new Uint8Array(bytes), chosen));
      await read(requestWith(gzipSync(bytes), GZIPPED));
    }),
  );
});

it('agrees with JSON.parse on valid JSON', async () => {
  await fc.assert(
    fc.asyncProperty(fc.json({ maxDepth: 4 }), async (text) => {
      expect(await read(requestWith(gzipSync(text), GZIPPED))).toEqual({ value: JSON.parse(text) });
    }),
  );
});

it('refuses what is too large by its declared length, by what arrives or a framework lets through, and unpacked', async () => {
  const because = `The body, as sent or unpacked, is larger than ${MAX_BYTES} bytes or a limit in front of sync. Send fewer mutations in one request.`;
  const tooLarge = { refused: 'TOO_LARGE', because };
  const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1000)) });
  const limited = new ReadableStream({
    pull: (controller) => controller.error(Object.assign(new Error(), { status: 413 })),
  });
  const bomb = gzipSync(Buffer.alloc(1_000_000, ' '));
  expect(bomb.byteLength).toBeLessThan(MAX_BYTES);
  expect(await read(requestWith('[]', { ...JSON_TYPE, 'content-length': '10001' }))).toEqual(tooLarge);
  expect(await read(requestWith(endless))).toEqual(tooLarge);
  expect(await read(requestWith(limited))).toEqual(tooLarge);
  expect(await read(requestWith(bomb, GZIPPED))).toEqual(tooLarge);
  const exact = requestWith(`"${'x'.repeat(MAX_BYTES - 2)}"`, { ...JSON_TYPE, 'content-length': String(MAX_BYTES) });
  expect(await read(exact)).toHaveProperty('value');
  expect(await read(requestWith(`"${'x'.repeat(MAX_BYTES - 1)}"`))).toEqual(tooLarge);
});

it('refuses what is not JSON in UTF-8, saying which of it it is not', async () => {
  const malformed = (because: string) => ({ refused: 'MALFORMED', because });
  const notJson = malformed('The body is not JSON. Send one JSON object.');
  const notUtf8 = malformed('The body is not UTF-8. Send JSON encoded as UTF-8.');
  const notGzip = malformed('The body is not gzip, although Content-Encoding says so.');
  expect(await read(requestWith(null))).toEqual(notJson);
  expect(await read(requestWith('<html>'))).toEqual(notJson);
  expect(await read(requestWith(new Uint8Array([0x22, 0xff, 0x22])))).toEqual(notUtf8);
  expect(await read(requestWith(new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])))).toEqual(notUtf8);
  expect(await read(requestWith('{}', GZIPPED))).toEqual(notGzip);
  expect(await read(requestWith(gzipSync('{}').subarray(0, -4), GZIPPED))).toEqual(notGzip);
});

it('refuses content types and encodings other than JSON, plain or gzip', async () => {
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8-but-not-quite',
    'application/jsonp',
    'text/application/json',
    'json',
    '',
  ];
  const notJson = {
    refused: 'UNSUPPORTED_ENCODING',
    because: 'The body has another content type than JSON in UTF-8. Send it with Content-Type: application/json.',
  };
  const notGzip = {
    refused: 'UNSUPPORTED_ENCODING',
    because: 'The body has a Content-Encoding that is not supported. Send it plain or as gzip.',
  };
  for (const type of types) expect(await read(requestWith('{}', { 'content-type': type }))).toEqual(notJson);
  for (const encoding of ['br', 'deflate', 'gzip, gzip']) {
    expect(await read(requestWith('{}', { ...JSON_TYPE, 'content-encoding': encoding }))).toEqual(notGzip);
  }
  for (const type of ['application/json ; charset=UTF-8', 'Application/JSON', 'application/vnd.api+json']) {
    expect(await read(requestWith('{}', { 'content-type': type }))).toEqual({ value: {} });
  }
});

it('stops waiting for a body that stalls, and throws the reason it was told', async () => {
  const deadline = new AbortController();
  const stalls = new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode('{"a"')) });
  const reading = read(requestWith(stalls), deadline.signal);
  deadline.abort(new SyncRequestError('BUSY', 'too late'));
  expect(await reading).toEqual({ refused: 'BUSY', because: 'too late' });
});

it('does not begin to wait for a body when it is too late already', async () => {
  const late = AbortSignal.abort(new SyncRequestError('BUSY', 'too late'));
  const never = new ReadableStream({});
  expect(await read(requestWith(never), late)).toEqual({ refused: 'BUSY', because: 'too late' });
});

it('leaves a body that it gives up for others to drain', async () => {
  const endless = requestWith(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1000)) }));
  const stalled = requestWith(new ReadableStream({}));
  const deadline = new AbortController();
  const reading = read(stalled, deadline.signal);
  deadline.abort(new SyncRequestError('BUSY', 'too late'));
  await Promise.all([read(endless), reading]);
  for (const { body } of [endless, stalled]) expect([body?.locked, await body?.cancel()]).toEqual([false, undefined]);
});

it('says that a body broke off', async () => {
  const breaks = new ReadableStream({ pull: (controller) => controller.error(new Error('ECONNRESET')) });
  const because = 'The body ended before it was complete. Send it again.';
  expect(await read(requestWith(breaks))).toEqual({ refused: 'MALFORMED', because });
});

it('takes a body that somebody has parsed and unpacked, if it was sent as JSON', async () => {
  const parsed = (headers: Record<string, string>) => attachParsedBody(requestWith(null, headers), { mutations: [] });
  expect(await read(parsed({ ...JSON_TYPE, 'content-encoding': 'br' }))).toEqual({ value: { mutations: [] } });
  // A page of another origin may send this with its visitor's cookies, and some parsers are told to take it for JSON.
  expect(await read(parsed({ 'content-type': 'text/plain' }))).toMatchObject({ refused: 'UNSUPPORTED_ENCODING' });
});

it('says that somebody has read the body before', async () => {
  const used = requestWith('{}');
  await used.json();
  const locked = requestWith('{}');
  locked.body?.getReader();
  const left = [undefined, '{}', Buffer.from('{}')].map((body) => attachParsedBody(requestWith(null), body));
  const because =
    'Something in front of sync has read the body and left no parsed JSON in `request.body`. Let sync read the body itself.';
  for (const request of [used, locked, ...left]) expect(await read(request)).toEqual({ refused: 'MALFORMED', because });
});
