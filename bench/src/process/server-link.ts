/** Starts a server process and speaks to it. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TaskChange } from '../data/task.js';
import type { ServerKind } from './bench-server.js';
import type { ServerCall, ServerReply } from './server-process.js';

export class ServerLink {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #calls = 0;
  #port = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Both processes run files that were bundled side by side. */
  static async start(kind: ServerKind): Promise<ServerLink> {
    const script = fileURLToPath(new URL('server-process.js', import.meta.url));
    const execArgv = ['--max-old-space-size=8000', ...(process.env.BENCH_SERVER_FLAGS?.split(' ') ?? [])];
    const child = fork(script, [JSON.stringify(kind)], { execArgv, serialization: 'advanced' });
    const link = new ServerLink(child);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => {
        const error = new Error(`The server process ended with ${code}.`);
        reject(error);
        for (const { reject: fail } of link.#waiting.values()) fail(error);
      });
      child.on('message', (message: ServerReply) => {
        if ('ready' in message) {
          link.#port = message.ready;
          resolve();
        } else link.#take(message);
      });
    });
    return link;
  }

  /** Where it answers, without a path. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async apply(changes: readonly TaskChange[]): Promise<void> {
    await this.#call('apply', changes);
  }

  async digest(): Promise<string> {
    return String(await this.#call('digest'));
  }

  async checkpoint(): Promise<string> {
    return String(await this.#call('checkpoint'));
  }

  async number(what: 'bytes' | 'peakRss' | 'cpuMs'): Promise<number> {
    return Number(await this.#call(what));
  }

  async stop(): Promise<void> {
    await this.#call('close');
    this.#child.removeAllListeners('exit');
    this.#child.disconnect();
  }

  #call(method: ServerCall['method'], value?: unknown): Promise<unknown> {
    this.#calls += 1;
    const id = this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, method, value } satisfies ServerCall);
    });
  }

  #take(message: Exclude<ServerReply, { readonly ready: number }>): void {
    const call = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('error' in message) call?.reject(new Error(message.error));
    else call?.resolve(message.value);
  }
}
