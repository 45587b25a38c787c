/** The platform of one process of a device, with its own clock and randomness, and timers that die with it. */
import type { Platform } from '@objectql/plugin-sync';
import type { Gate } from './gate.js';
import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

export interface DevicePlatformParts {
  readonly time: VirtualTime;
  readonly gate: Gate;
  readonly random: Pick<Random, 'next'>;
  readonly aheadMs: () => number;
  readonly newId: () => string;
  readonly isOnline: () => boolean;
  readonly isSeen: () => boolean;
  /** Whether a timer of so many milliseconds goes off. */
  readonly goesOff: (delayMs: number) => boolean;
}

export class DevicePlatform implements Platform {
  readonly #parts: DevicePlatformParts;
  readonly #listeners = new Set<(online: boolean) => void>();
  #timers = 0;

  constructor(parts: DevicePlatformParts) {
    this.#parts = parts;
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers;
  }

  now(): number {
    return this.#parts.time.now() + this.#parts.aheadMs();
  }

  random(): number {
    return this.#parts.random.next();
  }

  newId(): string {
    return this.#parts.newId();
  }

  setTimer(work: () => void, delayMs: number): () => void {
    const { time, gate, goesOff } = this.#parts;
    let isSet = true;
    this.#timers += 1;
    const done = () => {
      if (isSet && !gate.isDead) this.#timers -= 1;
      isSet = false;
    };
    const cancel = time.after(delayMs, () => {
      done();
      if (!gate.isDead && goesOff(delayMs)) work();
    });
    return () => {
      done();
      cancel();
    };
  }

  isOnline(): boolean {
    return this.#parts.isOnline();
  }

  isSeen(): boolean {
    return this.#parts.isSeen();
  }

  onConnectivity(listener: (online: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tellConnectivity(isOnline: boolean): void {
    for (const listener of [...this.#listeners]) listener(isOnline);
  }
}
