/** Compresses a request's body where that pays. */

/** 1 KiB: less fits a packet anyway, and gzip needs about 20 bytes of its own. */
const COMPRESS_FROM_CHARACTERS = 1024;

/** The text compressed; `undefined` where it is small, or the platform cannot: React Native has no CompressionStream. */
export async function gzip(text: string): Promise<ArrayBuffer | undefined> {
  if (text.length < COMPRESS_FROM_CHARACTERS || typeof CompressionStream === 'undefined') return undefined;
  // Gathered before it is sent: browsers stream request bodies over HTTP/2 only, and a stream cannot be sent again.
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer();
}
