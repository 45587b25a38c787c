/** A line of so many bytes a second, measured by the clock that a test holds: each second that it takes, it lets pass. */
import type { TestPlatform } from '@objectql/plugin-sync/testing';

export class SlowLine {
  /** Bytes of answers that came through, those of answers given up included. */
  carried = 0;
  readonly #platform: TestPlatform;
  readonly #bytesPerSecond: number;

  constructor(platform: TestPlatform, bytesPerSecond: number) {
    this.#platform = platform;
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Asks over the real network, and brings the answer's body at the speed of the line. */
  readonly fetch: typeof fetch = async (url, init) => {
    const response = await fetch(url, init);
    const body = new Uint8Array(await response.arrayBuffer());
    const { status, headers } = response;
    // The body is unpacked already.
    const rest = [...headers].filter(([name]) => name !== 'content-encoding' && name !== 'content-length');
    return new Response(this.#carry(body, init?.signal ?? undefined), { status, headers: rest });
  };

  #carry(body: Uint8Array, signal: AbortSignal | undefined): ReadableStream<Uint8Array> {
    let at = 0;
    return new ReadableStream(
      {
        start: (controller) => signal?.addEventListener('abort', () => controller.error(signal.reason)),
        pull: async (controller) => {
          await this.#platform.advance(1000);
          if (signal?.aborted) return;
          const part = body.subarray(at, at + this.#bytesPerSecond);
          at += part.length;
          this.carried += part.length;
          controller.enqueue(part);
          if (at === body.length) controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  }
}
