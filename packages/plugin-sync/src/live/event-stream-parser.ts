/** Reads server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */

/** One event of a stream. */
export interface StreamEvent {
  /** `message` if the stream does not say. */
  readonly type: string;
  readonly data: string;
}

/** 64 Ki characters: no event of sync comes near it, and a line or event that never ends is no event stream. */
const MAX_UNFINISHED = 64 * 1024;

/**
 * Takes a stream in pieces, cut anywhere, and returns the complete events. Of an event it reads `event` and `data`;
 * `id` and `retry` are for browsers that reconnect by themselves.
 */
export class EventStreamParser {
  #unfinished = '';
  #type = '';
  #data: string | undefined;

  /** The events that end in `text`. Throws when one is too long. */
  push(text: string): readonly StreamEvent[] {
    const lines = (this.#unfinished + text).split(LINE_END);
    this.#unfinished = lines.pop() ?? '';
    const events = lines.flatMap((line) => this.#take(line));
    if (this.#unfinished.length + (this.#data ?? '').length > MAX_UNFINISHED) {
      throw new Error('This is no stream of events.');
    }
    return events;
  }

  #take(line: string): readonly StreamEvent[] {
    if (line === '') return this.#finish();
    // A line that begins with a colon has no field: it is a comment.
    const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'event') this.#type = value;
    if (field === 'data') this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    return [];
  }

  #finish(): readonly StreamEvent[] {
    const [type, data] = [this.#type || 'message', this.#data];
    this.#type = '';
    this.#data = undefined;
    return data === undefined ? [] : [{ type, data }];
  }
}

/** A carriage return at the end of a piece waits for the next one, which may begin with its line feed. */
const LINE_END = /\r\n|\n|\r(?!$)/;
