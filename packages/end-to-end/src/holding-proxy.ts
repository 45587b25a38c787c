/** A reverse proxy as some companies run it: it hands an answer on when it has all of it. */
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export class HoldingProxy implements AsyncDisposable {
  /** Whether answers are held back until they are complete. */
  isHolding = true;
  /** Resolves when it has asked for a path that ends like this. */
  readonly #awaited: { readonly end: string; readonly resolve: () => void }[] = [];
  readonly #server: Server;

  private constructor(target: string) {
    const { hostname, port } = new URL(target);
    this.#server = createServer((incoming, outgoing) => {
      const { method, url = '/', headers } = incoming;
      const asking = httpRequest({ hostname, port, method, path: url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        if (!this.isHolding) {
          outgoing.flushHeaders();
          answer.pipe(outgoing);
          return;
        }
        const held: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => held.push(chunk));
        answer.on('end', () => outgoing.end(Buffer.concat(held)));
      });
      asking.on('error', () => outgoing.destroy());
      outgoing.on('close', () => asking.destroy());
      incoming.pipe(asking);
      for (const { end, resolve } of this.#awaited) if (new URL(url, target).pathname.endsWith(end)) resolve();
    });
  }

  /** A proxy before the server at `target`. */
  static async start(target: string): Promise<HoldingProxy> {
    const proxy = new HoldingProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves with the next request to a path that ends like this. */
  asked(end: string): Promise<void> {
    return new Promise((resolve) => this.#awaited.push({ end, resolve }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
