/** Every storage operation passes through here: it may be slow, fail, or be the last thing that a process does. */
import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

export interface GateParts {
  readonly time: VirtualTime;
  readonly random: Random;
  /** Probabilities, read at every operation. */
  readonly faults: () => { readonly slow: number; readonly fail: number };
  /** Called when the armed crash is due. */
  readonly onCrash: () => void;
  /** Resolves when the process can go on; `undefined` while it does. */
  readonly whileStill?: (() => Promise<void> | undefined) | undefined;
  /** Takes the time that half an operation needs anyway; default: none. */
  readonly wait?: (() => Promise<void>) | undefined;
}

/** One process's access to its storage; dead with the process. */
export class Gate {
  /** Rejects when the process dies. */
  readonly death: Promise<never>;
  readonly #parts: GateParts;
  #reportDeath: (error: Error) => void = () => {};
  #isDead = false;
  #underWay = 0;
  #isFailing = false;
  #armed: { left: number; readonly when: 'before' | 'after' } | undefined;

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.death = new Promise((_, reject) => {
      this.#reportDeath = reject;
    });
    this.death.catch(() => {});
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** How many operations have begun and not ended. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Lets the process die at its nth next operation. */
  arm(operation: number, when: 'before' | 'after'): void {
    this.#armed = { left: operation, when };
  }

  disarm(): void {
    this.#armed = undefined;
  }

  /** Lets all operations fail, whatever the probability, or no longer. */
  setFailing(isFailing: boolean): void {
    this.#isFailing = isFailing;
  }

  /** Ends the process: it receives nothing any more. */
  kill(): void {
    this.#isDead = true;
    this.#reportDeath(new Error('The process has died.'));
  }

  /**
   * Runs an operation, if the process lives long enough; otherwise never resolves. `faults` may differ from the gate's.
   */
  async pass<T>(operation: () => Promise<T> | T, faults = this.#parts.faults): Promise<T> {
    if (this.#isDead) return never();
    const { time, random, whileStill, wait } = this.#parts;
    const { slow, fail } = faults();
    this.#underWay += 1;
    const isLast = this.#armed !== undefined && --this.#armed.left <= 0;
    try {
      if (slow > 0 && random.chance(slow)) await time.sleep(random.between(1, 3000));
      if (wait) await wait();
      if (this.#isFailing || (fail > 0 && random.chance(fail)))
        throw new Error('The simulation made this operation fail.');
      if (isLast && this.#armed?.when === 'before') this.#crash();
      if (this.#isDead) return await never();
      const result = await operation();
      if (wait) await wait();
      if (slow > 0 && random.chance(slow / 2)) await time.sleep(random.between(1, 1000));
      if (isLast) this.#crash();
      if (whileStill) await whileStill();
      return this.#isDead ? await never() : result;
    } catch (error) {
      if (whileStill) await whileStill();
      // A dead process must not hear of failures either, or code that waits for the operation would go on.
      if (this.#isDead) return await never();
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }

  #crash(): void {
    this.#armed = undefined;
    if (!this.#isDead) this.#parts.onCrash();
  }
}

/** A promise that never settles, for a dead process. */
export function never(): Promise<never> {
  return new Promise(() => {});
}
