/** The floor's client: a map, an array, and `fetch`. */
import { digestOf } from '../data/digest.js';
import type { TaskChange } from '../data/task.js';

export class FloorClient {
  readonly records = new Map<string, object>();
  readonly #url: string;
  #queue: TaskChange[] = [];
  #seen = 0;

  constructor(url: string) {
    this.#url = url;
  }

  change(id: string, data: TaskChange[1]): void {
    this.#merge(id, data);
    this.#queue.push([id, data]);
  }

  /** Sends what was changed, 1,000 at a time. */
  async push(): Promise<void> {
    for (let from = 0; from < this.#queue.length; from += PUSH_CHANGES) {
      const body = JSON.stringify(this.#queue.slice(from, from + PUSH_CHANGES));
      const headers = { 'content-type': 'application/json' };
      await (await fetch(`${this.#url}/push`, { method: 'POST', headers, body })).json();
    }
    this.#queue = [];
  }

  /** Takes over what the server's log has that was not seen yet. */
  async pull(): Promise<void> {
    const changes = await this.#get<readonly TaskChange[]>(`/log?from=${this.#seen}&to=1e9`);
    this.#seen += changes.length;
    for (const [id, data] of changes) this.#merge(id, data);
  }

  /** Takes over all records, asking for the next page while one is read. */
  async fetchAll(count: number): Promise<void> {
    const page = (from: number) =>
      this.#get<readonly TaskChange[]>(`/records?from=${from}&to=${Math.min(from + PAGE_RECORDS, count)}`);
    let next = page(0);
    for (let from = 0; from < count; from += PAGE_RECORDS) {
      const records = await next;
      if (from + PAGE_RECORDS < count) next = page(from + PAGE_RECORDS);
      for (const [id, data] of records) this.records.set(id, data);
    }
  }

  /** Takes over what others change, as it happens, and tells it. Returns what stops it. */
  async listen(onChange: (id: string, data: TaskChange[1]) => void): Promise<() => void> {
    const stop = new AbortController();
    const { body } = await fetch(`${this.#url}/events`, { signal: stop.signal });
    const read = async () => {
      let text = '';
      for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const events = (text + chunk).split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) {
          for (const [id, data] of JSON.parse(event.slice('data: '.length)) as readonly TaskChange[]) {
            this.#merge(id, data);
            onChange(id, data);
          }
        }
      }
    };
    // Ends with the error that stopping it makes.
    read().catch(() => {});
    return () => stop.abort();
  }

  /** Starts from what the server has, without asking it. */
  startFrom(changes: readonly TaskChange[]): void {
    for (const [id, data] of changes) this.records.set(id, { ...data });
    this.#seen = changes.length;
  }

  digest(): string {
    return digestOf(this.records);
  }

  #merge(id: string, data: TaskChange[1]): void {
    const record = this.records.get(id);
    if (record) Object.assign(record, data);
    else this.records.set(id, { ...data });
  }

  async #get<T>(path: string): Promise<T> {
    // The floor's server answers nothing else.
    return (await (await fetch(this.#url + path)).json()) as T;
  }
}

const PUSH_CHANGES = 1000;
const PAGE_RECORDS = 10_000;
