/** Writes a request's body, compressed where that pays. */

export interface RequestBody {
  readonly body: string | ArrayBuffer;
  /** The value of `Content-Encoding`; absent when the body is plain JSON. */
  readonly encoding?: 'gzip';
}

/** 1 KiB: less fits a packet anyway, and gzip needs about 20 bytes of its own. */
const COMPRESS_FROM_CHARACTERS = 1024;

/** The body as it is sent without compression. */
export function plainBody(json: string): RequestBody {
  return { body: json };
}

/** The body compressed, where it is large and the platform can; else as it is. */
export async function compressedBody(json: string): Promise<RequestBody> {
  // React Native has no CompressionStream.
  if (json.length < COMPRESS_FROM_CHARACTERS || typeof CompressionStream === 'undefined') return plainBody(json);
  // Gathered before it is sent: browsers stream request bodies over HTTP/2 only, and a stream cannot be sent again.
  const stream = new Blob([json]).stream().pipeThrough(new CompressionStream('gzip'));
  return { body: await new Response(stream).arrayBuffer(), encoding: 'gzip' };
}
