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
  /** Runs what a timer was set for; default: when it is due. */
  readonly runTimer?: ((work: () => void) => void) | undefined;
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
    const { time, gate, goesOff, runTimer = (due: () => void) => due() } = this.#parts;
    let isSet = true;
    this.#timers += 1;
    const done = () => {
      if (isSet && !gate.isDead) this.#timers -= 1;
      isSet = false;
    };
    const goOff = () => {
      if (!isSet) return;
      done();
      if (!gate.isDead && goesOff(delayMs)) work();
    };
    const cancel = time.after(delayMs, () => runTimer(goOff));
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
