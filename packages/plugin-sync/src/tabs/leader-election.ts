/** Carries out what the machine of `leadership.ts` decides: holds the lock, asks the leader, and tells who leads. */
import type { Platform } from '../platform/platform.js';
import type { TabHost } from '../platform/tab-host.js';
import {
  type LeadershipEvent,
  type LeadershipState,
  type LeadershipStep,
  nextLeadership,
  START,
  TICK_MS,
} from './leadership.js';

export interface ElectionParts {
  readonly host: TabHost;
  readonly platform: Platform;
  readonly lockName: string;
  readonly onLead: () => void;
  readonly onFollow: () => void;
  /** Asks the leader whether it is there. */
  readonly ask: () => void;
}

export class LeaderElection {
  readonly #parts: ElectionParts;
  /** Whoever does not stand yet decides as little as whoever has left. */
  #state: LeadershipState = { at: 'left' };
  #letGo: () => void = () => {};
  #disarm: () => void = () => {};

  constructor(parts: ElectionParts) {
    this.#parts = parts;
  }

  /** Stands in line. */
  start(): void {
    this.#carryOut(START);
  }

  /** The leader said something. */
  heard(isLeaderSeen: boolean): void {
    this.#dispatch({ type: 'heard', isLeaderSeen, isSeen: this.#parts.host.isVisible() });
  }

  leave(): void {
    this.#dispatch({ type: 'left' });
  }

  #dispatch(event: LeadershipEvent): void {
    this.#carryOut(nextLeadership(this.#state, event));
  }

  #carryOut({ state, effects }: LeadershipStep): void {
    this.#state = state;
    this.#disarm();
    if (state.at === 'following')
      this.#disarm = this.#parts.platform.setTimer(() => this.#dispatch({ type: 'tick' }), TICK_MS);
    for (const effect of effects) {
      switch (effect) {
        case 'lead':
          this.#parts.onLead();
          break;
        case 'follow':
          this.#parts.onFollow();
          break;
        case 'stand-in-line':
          this.#request(false);
          break;
        case 'take':
          this.#request(true);
          break;
        case 'ask':
          this.#parts.ask();
          break;
        case 'let-go':
          this.#letGo();
          break;
      }
    }
  }

  #request(steal: boolean): void {
    this.#letGo();
    this.#letGo = this.#parts.host.requestLock(this.#parts.lockName, {
      steal,
      onGranted: () => this.#dispatch({ type: 'granted' }),
      onLost: () => this.#dispatch({ type: 'lost' }),
    });
  }
}
