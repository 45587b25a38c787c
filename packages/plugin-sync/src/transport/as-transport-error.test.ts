import { expect, test } from 'vitest';
import { asTransportError } from './as-transport-error.js';
import { TransportError } from './transport.js';

test('leaves a transport error as it is', () => {
  const error = new TransportError('Slow.', { type: 'timeout' });
  expect(asTransportError(error)).toBe(error);
});

test('takes an error with a code or a status for a refusal', () => {
  const failures = [
    { code: 'LOG_FORKED', status: 409 },
    { code: 'BUSY', retryAfterMs: 5 },
    { status: 502 },
    { status: 400 },
    { status: 399 },
    { code: 'ECONNRESET' },
  ].map((facts) => asTransportError(Object.assign(new Error('Said.'), facts)).failure);
  expect(failures).toEqual([
    { type: 'refused', status: 409, code: 'LOG_FORKED' },
    { type: 'refused', status: 503, code: 'BUSY', retryAfterMs: 5 },
    { type: 'refused', status: 502 },
    { type: 'refused', status: 400 },
    { type: 'unreachable' },
    { type: 'unreachable' },
  ]);
});

test('takes everything else for no answer, and keeps it as the cause', () => {
  const cause = new TypeError('fetch failed');
  const error = asTransportError(cause);
  expect([error.failure, error.cause, asTransportError('text').failure, asTransportError(null).failure]).toEqual([
    { type: 'unreachable' },
    cause,
    { type: 'unreachable' },
    { type: 'unreachable' },
  ]);
});

test('takes a text that is no JSON for an answer that nobody can read', () => {
  const cause = new SyntaxError('Unexpected token');
  const { failure, cause: kept } = asTransportError(cause);
  expect([failure, kept]).toEqual([{ type: 'unreadable' }, cause]);
});
