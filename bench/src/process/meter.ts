/** What a stretch of work takes beside its time: memory of this process, bytes on the wire, CPU of both sides. */
import { PerformanceObserver } from 'node:perf_hooks';
import type { ServerLink } from './server-link.js';

export interface Used {
  /** The most heap in use at any moment, above what was in use before. */
  readonly peakHeapBytes: number;
  /** Heap that is still in use afterwards, above what was before. */
  readonly keptHeapBytes: number;
  readonly clientCpuMs: number;
  readonly serverCpuMs: number;
  readonly wireBytes: number;
}

/** Heap in use is looked at this often, and after every collection. */
const SAMPLE_MS = 5;

export class Meter {
  readonly #server: ServerLink | undefined;
  readonly #observer = new PerformanceObserver(() => this.#sample());
  #timer: NodeJS.Timeout | undefined;
  #before = { heap: 0, cpu: process.cpuUsage(), serverCpuMs: 0, wireBytes: 0 };
  #peakHeap = 0;

  constructor(server?: ServerLink) {
    this.#server = server;
  }

  /** Call it right before the work that is timed. */
  async start(): Promise<void> {
    globalThis.gc?.();
    const serverCpuMs = (await this.#server?.number('cpuMs')) ?? 0;
    const wireBytes = (await this.#server?.number('bytes')) ?? 0;
    const heap = process.memoryUsage().heapUsed;
    this.#peakHeap = heap;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS).unref();
    this.#observer.observe({ entryTypes: ['gc'] });
    this.#before = { heap, cpu: process.cpuUsage(), serverCpuMs, wireBytes };
  }

  /** Call it right after the work that is timed. */
  async stop(): Promise<Used> {
    this.#sample();
    const { user, system } = process.cpuUsage(this.#before.cpu);
    clearInterval(this.#timer);
    this.#observer.disconnect();
    globalThis.gc?.();
    return {
      peakHeapBytes: this.#peakHeap - this.#before.heap,
      keptHeapBytes: process.memoryUsage().heapUsed - this.#before.heap,
      clientCpuMs: (user + system) / 1000,
      serverCpuMs: ((await this.#server?.number('cpuMs')) ?? 0) - this.#before.serverCpuMs,
      wireBytes: ((await this.#server?.number('bytes')) ?? 0) - this.#before.wireBytes,
    };
  }

  #sample(): void {
    this.#peakHeap = Math.max(this.#peakHeap, process.memoryUsage().heapUsed);
  }
}
