/** A device as the demo sees it: a process to send commands to, to kill, and to start again on the same files. */
import { type ChildProcess, fork } from 'node:child_process';
import type { LocalRecord } from '@objectql/plugin-sync';

export type Command =
  | {
      readonly do: 'create' | 'update';
      readonly objectName: string;
      readonly recordId: string;
      readonly data: Record<string, unknown>;
    }
  /** `hangsMidway`: stands still, to be killed, as soon as some of what is pending was taken. */
  | { readonly do: 'connect'; readonly hangsMidway?: boolean }
  | { readonly do: 'disconnect' | 'pending' | 'conflicts' | 'records' }
  | { readonly do: 'resolve'; readonly id: string; readonly choice: 'mine' | 'theirs' };

type Message =
  | { readonly type: 'ready' }
  | { readonly type: 'event'; readonly kind: string; readonly text: string }
  | { readonly type: 'pending'; readonly pending: number }
  | { readonly type: 'done'; readonly id: number; readonly value?: unknown; readonly error?: string };

export interface DeviceOptions {
  readonly name: string;
  readonly file: string;
  readonly url: string;
  readonly onEvent: (kind: string, text: string) => void;
}

export class Device {
  readonly name: string;
  readonly #options: DeviceOptions;
  #process: ChildProcess | undefined;
  #calls = 0;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #onPending: (pending: number) => void = () => {};

  constructor(options: DeviceOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Starts the process on the device's files. */
  async start(): Promise<void> {
    const { name, file, url } = this.#options;
    const child = fork(new URL('./client.ts', import.meta.url), [name, file, url]);
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it was ready.`)));
      child.on('message', (message: Message) => {
        if (message.type === 'ready') resolve();
        else this.#take(message);
      });
    });
  }

  async create(objectName: string, recordId: string, data: Record<string, unknown>): Promise<void> {
    await this.run({ do: 'create', objectName, recordId, data });
  }

  async update(objectName: string, recordId: string, data: Record<string, unknown>): Promise<void> {
    await this.run({ do: 'update', objectName, recordId, data });
  }

  async records(): Promise<readonly LocalRecord[]> {
    return (await this.run({ do: 'records' })) as readonly LocalRecord[];
  }

  /** Sends a command and waits until the device has done it. */
  run(command: Command): Promise<unknown> {
    this.#calls += 1;
    const id = this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#process?.send({ id, command });
    });
  }

  /** Connects, and kills the process with SIGKILL as soon as the server has taken some of what is pending, but not all. */
  async connectAndKillMidway(): Promise<void> {
    const child = this.#process;
    if (!child) throw new Error('The device is not running.');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    this.#onPending = () => child.kill('SIGKILL');
    this.run({ do: 'connect', hangsMidway: true }).catch(() => {});
    await ended;
    this.#onPending = () => {};
    this.#waiting.clear();
  }

  stop(): void {
    this.#process?.disconnect();
  }

  #take(message: Exclude<Message, { type: 'ready' }>): void {
    if (message.type === 'event') this.#options.onEvent(message.kind, message.text);
    else if (message.type === 'pending') this.#onPending(message.pending);
    else {
      const call = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error === undefined) call?.resolve(message.value);
      else call?.reject(new Error(message.error));
    }
  }
}
