/** Reads a live stream as a client does, for tests. */

/** What a stream brings, in its order: the checkpoints of its pokes, and `beat` for a sign of life. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #text = '';

  constructor(response: Response) {
    if (!response.body) throw new Error('The response has no body.');
    this.#reader = response.body.getReader();
  }

  /** The next event; `null` at the stream's end. */
  async next(): Promise<string | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n');
      if (end >= 0) {
        const event = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        if (event === ':') return 'beat';
        const [, data = '{}'] = /^event: poke\ndata: (.*)$/.exec(event) ?? [];
        return String(JSON.parse(data).checkpoint);
      }
      const { done, value } = await this.#reader.read();
      if (done) return null;
      this.#text += this.#decoder.decode(value, { stream: true });
    }
  }

  /** The place in the next poke that is at `place` or beyond, whatever comes before it. */
  async place(place: number): Promise<number> {
    for (;;) {
      const event = await this.next();
      if (event === null) throw new Error('The stream has ended.');
      const seen = Number(event.split('.')[2]);
      if (seen >= place) return seen;
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}
