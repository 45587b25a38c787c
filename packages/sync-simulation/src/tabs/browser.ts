/** A browser: what its tabs have in common. */
import type { Mutant } from '../mutants/mutant.js';
import type { TabsPlan } from '../plan.js';
import { Random } from '../random.js';
import type { VirtualTime } from '../virtual-time.js';
import { BrowserTab } from './browser-tab.js';
import { TabChannels } from './tab-channel.js';
import { TabLocks } from './tab-locks.js';

export interface BrowserParts {
  readonly seed: number;
  readonly index: number;
  readonly time: VirtualTime;
  /** The faults of tabs; none once the faults are over. */
  readonly faults: () => TabsPlan | undefined;
  readonly mutant: Mutant | undefined;
  readonly log: (line: () => string) => void;
}

/** 5 ms, 3 s: how long a message is on its way at most, and how long if it is late. */
const MESSAGE_MS = 5;
const LATE_MESSAGE_MS = 3000;
/** 20 ms, 1 s: how soon a browser notices that a tab is gone, and how late. */
const DEATH_MS = 20;
const LATE_DEATH_MS = 1000;

export class Browser {
  /** Names what its tabs share. */
  readonly name: string;
  readonly #parts: BrowserParts;
  readonly #random: Random;
  /** Draws which version of the app a tab loads. */
  readonly #versions: Random;
  readonly #locks = new TabLocks();
  readonly #channels: TabChannels;

  constructor(parts: BrowserParts) {
    const { seed, index, time, mutant, log } = parts;
    this.#parts = parts;
    this.name = `browser ${index}`;
    this.#random = new Random(seed, 'browser', index);
    this.#versions = new Random(seed, 'versions', index);
    this.#channels = new TabChannels({
      time,
      delay: () => this.#delay(MESSAGE_MS, LATE_MESSAGE_MS),
      heard: (message) => {
        log(() => `${this.name}: ${JSON.stringify(message)}`);
        return mutant?.tabTold ? mutant.tabTold(message) : message;
      },
    });
  }

  /** Opens a tab. */
  newTab(name: string, isSeen: () => boolean): BrowserTab {
    const { time, mutant, faults } = this.#parts;
    const older = faults()?.older ?? 0;
    return new BrowserTab({
      name,
      time,
      random: this.#random,
      locks: this.#locks,
      channels: this.#channels,
      deathMs: () => this.#delay(DEATH_MS, LATE_DEATH_MS),
      isSeen: mutant?.isEachTabSeen ? () => true : isSeen,
      lockRequest: mutant?.lockRequest ?? ((request) => request),
      isFreezeUntold: mutant?.isFreezeUntold === true,
      isOlder: older > 0 && this.#versions.chance(older),
      isLockShared: mutant?.isLockShared === true,
    });
  }

  #delay(usualMs: number, lateMs: number): number {
    const late = this.#parts.faults()?.late ?? 0;
    return this.#random.between(0, late > 0 && this.#random.chance(late) ? lateMs : usualMs);
  }
}
