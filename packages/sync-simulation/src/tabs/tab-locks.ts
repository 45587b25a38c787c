/** The locks of a browser, as Web Locks have them. */
import type { LockRequest } from '@objectql/plugin-sync/tabs';

/** Where a lock is held or waited for. */
export interface LockTab {
  readonly isGone: boolean;
  /** Tells the tab of a lock; it hears of it some time later, in the order in which it was told. */
  tellOfLock(work: () => void): void;
}

/** A wish of a tab to hold a lock. */
export interface Claim {
  readonly tab: LockTab;
  readonly request: LockRequest;
  /** Whether the tab knows that it holds the lock. */
  isHeld: boolean;
  /** Whether the tab wants it no more. */
  isOver: boolean;
}

export class TabLocks {
  /** By name; the first claim of each holds the lock. */
  readonly #claims = new Map<string, readonly Claim[]>();

  /** A claim has arrived: it waits in line, or takes the lock from its holder. */
  ask(name: string, claim: Claim): void {
    // Its tab may have died, or changed its mind, while it was on its way.
    if (claim.tab.isGone || (claim.isOver && !claim.request.steal)) return;
    const [holder, ...waiting] = this.#claims.get(name) ?? [];
    if (holder && !claim.request.steal) {
      this.#claims.set(name, [holder, ...waiting, claim]);
      return;
    }
    this.#claims.set(name, [claim, ...waiting]);
    holder?.tab.tellOfLock(() => {
      if (!holder.isOver) holder.request.onLost();
    });
    this.#grant(claim);
  }

  /** A claim is given up. */
  drop(name: string, dropped: Claim): void {
    this.#keep(name, (claim) => claim !== dropped);
  }

  /** The browser notices that a tab is gone. */
  forget(tab: LockTab): void {
    for (const name of this.#claims.keys()) this.#keep(name, (claim) => claim.tab !== tab);
  }

  #keep(name: string, isKept: (claim: Claim) => boolean): void {
    const before = this.#claims.get(name) ?? [];
    const [first, ...waiting] = before.filter(isKept);
    this.#claims.set(name, first ? [first, ...waiting] : []);
    if (first && first !== before[0]) this.#grant(first);
  }

  #grant(claim: Claim): void {
    claim.tab.tellOfLock(() => {
      if (claim.isOver) return;
      claim.isHeld = true;
      claim.request.onGranted();
    });
  }
}
