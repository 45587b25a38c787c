import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { SyncRequestError } from '../sync-request-error.js';
import type { HttpAnswer } from './http-call.js';
import { errorAnswer, GZIP_MIN_BYTES, jsonAnswer } from './json-answer.js';
import { toResponse } from './web-call.js';

const large = { text: 'x'.repeat(GZIP_MIN_BYTES) };

const textOf = (value: unknown) => ({ text: JSON.stringify(value), nextPage: undefined });

/** What a caller sees, with the body unpacked. */
async function seen(answer: HttpAnswer): Promise<unknown> {
  const response = toResponse(answer);
  const bytes = Buffer.from(await response.arrayBuffer());
  const packed = response.headers.get('content-encoding') === 'gzip';
  const body: unknown = JSON.parse((packed ? gunzipSync(bytes) : bytes).toString());
  return { status: response.status, headers: Object.fromEntries(response.headers), body };
}

const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store', vary: 'accept-encoding' };

it('gzips a large answer for a caller that takes gzip', async () => {
  const headers = { ...HEADERS, 'content-encoding': 'gzip' };
  for (const accepted of ['gzip', 'gzip, deflate, br', 'br;q=1.0, GZIP;q=0.5', 'gzip;q=1', '*']) {
    expect(await seen(await jsonAnswer(textOf(large), accepted))).toEqual({
      status: 200,
      headers,
      body: large,
    });
  }
});

it('leaves an answer as it is when it is small or the caller takes no gzip', async () => {
  const small = { checkpoint: 'c' };
  expect(await seen(await jsonAnswer(textOf(small), 'gzip'))).toEqual({
    status: 200,
    headers: HEADERS,
    body: small,
  });
  for (const accepted of [null, '', 'br', 'gzip;q=0', 'gzip;q=0.0, *', 'identity', 'gzip;q=x']) {
    expect(await seen(await jsonAnswer(textOf(large), accepted))).toEqual({
      status: 200,
      headers: HEADERS,
      body: large,
    });
  }
});

it('gzips what has enough bytes, however few letters it has, and however many', async () => {
  const fewLetters = '✓'.repeat(GZIP_MIN_BYTES / 2);
  const texts = ['x'.repeat(GZIP_MIN_BYTES - 3), 'x'.repeat(GZIP_MIN_BYTES - 2), fewLetters, 'x'.repeat(100_000)];
  const encodings: unknown[] = [];
  for (const text of texts) {
    const answer = await jsonAnswer(textOf(text), 'gzip');
    encodings.push(answer.headers['content-encoding']);
    expect(await seen(answer)).toMatchObject({ body: text });
  }
  expect(encodings).toEqual([undefined, 'gzip', 'gzip', 'gzip']);
});

it('names the next page in a header', async () => {
  const response = await jsonAnswer({ text: '{}', nextPage: '2.feed.1.0.' }, 'gzip');
  expect(await seen(response)).toMatchObject({ headers: { ...HEADERS, 'sync-next-page': '2.feed.1.0.' } });
});

it('answers an error with its status, its code, and when to try again in whole seconds', async () => {
  const error = new SyncRequestError('RATE_LIMITED', 'Wait.', { retryAfterMs: 1200 });
  expect(await seen(errorAnswer(error, { allow: 'POST' }))).toEqual({
    status: 429,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', 'retry-after': '2', allow: 'POST' },
    body: { error: { code: 'RATE_LIMITED', message: 'Wait.', retryAfterMs: 1200 } },
  });
});

it('names no time for another try where none makes sense', async () => {
  const { headers } = errorAnswer(new SyncRequestError('MALFORMED', 'The body is not JSON.'));
  expect(headers).toEqual({ 'content-type': 'application/json', 'cache-control': 'no-store' });
});
