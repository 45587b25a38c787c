/** Those who read streams, as bare sockets: a thousand clients would measure themselves. */
import { connect, type Socket } from 'node:net';

/** Streams of one server, opened again when they end as the client does: after a random part of 1 s, then of 2 s, 4 s … */
export class StreamReaders {
  readonly #port: number;
  #isClosed = false;
  #open = 0;
  #told = 0;
  #onChange = (): void => {};
  readonly #sockets = new Set<Socket>();

  constructor(port: number) {
    this.#port = port;
  }

  /** Opens so many, 50 at a time. */
  async open(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      this.#connect(0);
      if (n % 50 === 49) await this.untilOpen(n - 49);
    }
    await this.untilOpen(count);
  }

  /** Resolves when so many are open. */
  untilOpen(count: number): Promise<void> {
    return this.#until(() => this.#open >= count);
  }

  /** Resolves when so many pokes have come from now on. */
  untilTold(count: number): Promise<void> {
    this.#told = 0;
    return this.#until(() => this.#told >= count);
  }

  close(): void {
    this.#isClosed = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #until(isTrue: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = () => isTrue() && resolve();
      this.#onChange();
    });
  }

  #connect(failures: number): void {
    const socket = connect(this.#port, '127.0.0.1').setEncoding('latin1');
    let isOpen = false;
    this.#sockets.add(socket);
    socket.on('connect', () => socket.write('GET /api/sync/stream HTTP/1.1\r\nhost: localhost\r\n\r\n'));
    socket.on('data', (data: string) => {
      if (!data.includes('event: poke')) return;
      if (isOpen) this.#told += 1;
      else this.#open += 1;
      isOpen = true;
      this.#onChange();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (isOpen) this.#open -= 1;
      const next = isOpen ? 1 : failures + 1;
      if (!this.#isClosed) setTimeout(() => this.#connect(next), Math.random() * 1000 * 2 ** (next - 1));
    });
  }
}
