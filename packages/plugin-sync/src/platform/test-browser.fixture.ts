/** A browser for tests: its tabs share locks and channels in this process, and may hang, freeze, go on and crash. */
import type { LockRequest, TabChannel, TabHost } from './tab-host.js';

interface Member {
  readonly tab: TestTab;
  readonly onMessage: (message: unknown) => void;
}

interface Claim {
  readonly tab: TestTab;
  readonly request: LockRequest;
  /** Whether the tab knows that it holds the lock. */
  isHeld: boolean;
}

/** All tabs of one browser. */
export class TestBrowser {
  readonly channels = new Map<string, Set<Member>>();
  /** By name; the first claim of each holds the lock. */
  readonly claims = new Map<string, Claim[]>();

  /** Opens a tab. */
  newTab(): TestTab {
    return new TestTab(this);
  }

  /** Grants a lock that is free to who waits for it longest. */
  settle(name: string, before: Claim | undefined): void {
    const [first] = this.claims.get(name) ?? [];
    if (first && first !== before) first.tab.run(first.request.onGranted);
  }
}

/**
 * One tab. What it would do while it hangs it does when it goes on, as browsers have it. One that is frozen hears messages,
 * as in Chromium; it hears of its locks, and asks for others, when it goes on.
 */
export class TestTab implements TabHost {
  readonly #browser: TestBrowser;
  #fate: 'runs' | 'hangs' | 'frozen' | 'gone' = 'runs';
  #late: (() => void)[] = [];
  #isVisible = true;

  constructor(browser: TestBrowser) {
    this.#browser = browser;
  }

  requestLock(name: string, request: LockRequest): () => void {
    if (this.#fate !== 'frozen') return this.#request(name, request);
    let isOver = false;
    let giveUp = () => {};
    this.#late.push(() => {
      if (!isOver) giveUp = this.#request(name, request);
    });
    return () => {
      isOver = true;
      giveUp();
    };
  }

  #request(name: string, request: LockRequest): () => void {
    let isOver = false;
    const tell = (told: () => void) => () => isOver || told();
    const { steal, onGranted, onLost } = request;
    const granted = () => {
      claim.isHeld = true;
      onGranted();
    };
    const claim: Claim = {
      tab: this,
      request: { steal, onGranted: tell(granted), onLost: tell(onLost) },
      isHeld: false,
    };
    const claims = this.#browser.claims.get(name) ?? [];
    const holder = claims[0];
    this.#browser.claims.set(name, claims);
    if (steal) {
      claims.splice(0, 1, claim);
      if (holder) holder.tab.run(holder.request.onLost);
    } else claims.push(claim);
    this.#browser.settle(name, holder === claim ? undefined : steal ? undefined : holder);
    return () => {
      isOver = true;
      this.#drop(name, (other) => other === claim);
    };
  }

  openChannel(name: string, onMessage: (message: unknown) => void): TabChannel {
    const members = this.#browser.channels.get(name) ?? new Set();
    this.#browser.channels.set(name, members);
    const member: Member = { tab: this, onMessage };
    members.add(member);
    return {
      post: (message) => {
        if (this.#fate === 'gone') return;
        if (!members.has(member)) throw new DOMException('The channel is closed.', 'InvalidStateError');
        for (const other of members) {
          if (other === member) continue;
          const copy = structuredClone(message);
          other.tab.hear(() => members.has(other) && other.onMessage(copy));
        }
      },
      close: () => void members.delete(member),
    };
  }

  isVisible(): boolean {
    return this.#isVisible;
  }

  /** Shows the tab to the user, or hides it. */
  setVisible(isVisible: boolean): void {
    this.#isVisible = isVisible;
  }

  /** Stops the tab where it stands; it keeps its locks. Its clock is the test's to stop. */
  hang(): void {
    this.#fate = 'hangs';
  }

  /** Stops all but messages; it is told that it holds no lock any more. Its clock is the test's to stop. */
  freeze(): void {
    this.#fate = 'frozen';
    for (const [holder] of this.#browser.claims.values())
      if (holder?.tab === this && holder.isHeld) holder.request.onLost();
  }

  /** Lets the tab go on with all that came meanwhile. */
  goOn(): void {
    this.#fate = 'runs';
    const late = this.#late;
    this.#late = [];
    for (const work of late) this.run(work);
  }

  /** Ends the tab in the middle of whatever it does; the browser frees its locks. */
  crash(): void {
    this.#fate = 'gone';
    for (const name of this.#browser.claims.keys()) this.#drop(name, ({ tab }) => tab === this);
  }

  /** Runs what the browser tells this tab of its locks, soon. */
  run(work: () => unknown): void {
    if (this.#fate === 'frozen') this.#late.push(work);
    else this.hear(() => (this.#fate === 'frozen' ? this.run(work) : work()));
  }

  /** Runs what other tabs tell this one, soon. */
  hear(work: () => unknown): void {
    if (this.#fate === 'hangs') this.#late.push(work);
    else if (this.#fate !== 'gone') queueMicrotask(() => (this.#isHearing() ? work() : this.hear(work)));
  }

  #isHearing(): boolean {
    return this.#fate === 'runs' || this.#fate === 'frozen';
  }

  #drop(name: string, isDropped: (claim: Claim) => boolean): void {
    const claims = this.#browser.claims.get(name) ?? [];
    const holder = claims[0];
    const kept = claims.filter((claim) => !isDropped(claim));
    this.#browser.claims.set(name, kept);
    this.#browser.settle(name, holder);
  }
}
