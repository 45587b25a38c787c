/** A request's body, which can be begun before its end is known, and is compressed if that pays. */
import type { MutationLogEntry } from '@objectql/sync-types';
import { mutationText } from '../cycle/mutation-text.js';

export interface RequestBody {
  readonly json: string;
  /**
   * The same compressed, once; `undefined` if it is small, or the platform cannot: React Native has no
   * CompressionStream.
   */
  readonly zipped: () => Promise<ArrayBuffer> | undefined;
}

/** 1 KiB: less fits into one packet anyway, and gzip adds about 20 bytes. */
const COMPRESS_FROM_CHARACTERS = 1024;

export function wholeBody(json: string): RequestBody {
  return { json, zipped: () => beginGzip(json)?.('') };
}

/** Begins a body and its compression. */
export function beginBody(head: string): (tail: string) => RequestBody {
  const end = beginGzip(head);
  return (tail) => (end ? { json: head + tail, zipped: () => end(tail) } : wholeBody(head + tail));
}

/** The beginning of a push: its mutations. */
export function headOf(mutations: readonly MutationLogEntry[]): string {
  return `{"mutations":[${mutations.map(mutationText).join(',')}],`;
}

/** The end of a push: everything else. */
export function tailOf(rest: { readonly clientId: string }): string {
  return JSON.stringify(rest).slice(1);
}

function beginGzip(head: string): ((tail: string) => Promise<ArrayBuffer>) | undefined {
  if (head.length < COMPRESS_FROM_CHARACTERS || typeof CompressionStream === 'undefined') return undefined;
  const { readable, writable } = new CompressionStream('gzip');
  const writer = writable.getWriter();
  const write = (text: string) => void writer.write(new TextEncoder().encode(text));
  // Gathered before it is sent: browsers stream request bodies over HTTP/2 only, and a stream cannot be sent again.
  const zipped = new Response(readable).arrayBuffer();
  write(head);
  return (tail) => {
    write(tail);
    void writer.close();
    return zipped;
  };
}
