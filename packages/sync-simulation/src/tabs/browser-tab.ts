/**
 * One tab of a browser, no kinder than browsers are: what would happen in it while it hangs or is frozen happens when it
 * goes on, all at once, and what it sets timers for while nobody sees it happens once a minute.
 */
import type { LockRequest, TabChannel, TabHost } from '@objectql/plugin-sync/tabs';
import type { TabStandstill } from '../plan.js';
import type { Random } from '../random.js';
import type { VirtualTime } from '../virtual-time.js';
import { OrderedLine } from './ordered-line.js';
import type { ChannelTab, TabChannels } from './tab-channel.js';
import type { Claim, LockTab, TabLocks } from './tab-locks.js';

export interface BrowserTabParts {
  readonly name: string;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly locks: TabLocks;
  readonly channels: TabChannels;
  /** How long it takes until the browser notices that the tab is gone. */
  readonly deathMs: () => number;
  readonly isSeen: () => boolean;
  /** The request for a lock as the browser understands it. */
  readonly lockRequest: (request: LockRequest) => LockRequest;
  /** True if the tab is not told when it freezes. */
  readonly isFreezeUntold: boolean;
  /** True for a tab of an older version of the app, whose messages have another version. */
  readonly isOlder: boolean;
  /** True if tabs of both versions ask for one lock. */
  readonly isLockShared: boolean;
}

/** What happens to a tab. */
type Kind = 'message' | 'lock' | 'timer' | 'answer';
const KINDS: readonly [Kind, ...Kind[]] = ['message', 'lock', 'timer', 'answer'];
type Fate = 'runs' | TabStandstill | 'gone';

interface Late {
  readonly kind: Kind;
  readonly work: () => void;
}

const MINUTE_MS = 60_000;
/** 5 ms: the longest that a tab and its browser need to hear each other about locks. */
const LOCK_MS = 5;

export class BrowserTab implements TabHost, LockTab, ChannelTab {
  readonly #parts: BrowserTabParts;
  readonly #toBrowser: OrderedLine;
  readonly #fromBrowser: OrderedLine;
  readonly #claims = new Set<Claim>();
  #fate: Fate = 'runs';
  /** What waits until the tab gets to it. */
  #late: Late[] = [];
  #isCatchingUp = false;
  /** What waits for the minute in which an unseen tab's timers run. */
  #slow: (() => void)[] = [];
  /** How many messages it has sent, and how many of them nothing can stop. */
  #sent = 0;
  #safe = 0;
  #isCutShort = false;

  constructor(parts: BrowserTabParts) {
    this.#parts = parts;
    this.#toBrowser = new OrderedLine(parts.time);
    this.#fromBrowser = new OrderedLine(parts.time);
  }

  get isGone(): boolean {
    return this.#fate === 'gone';
  }

  /** True if the messages of this tab have another version than those of the newest. */
  get isOlder(): boolean {
    return this.#parts.isOlder;
  }

  /** True while nothing in it goes on. */
  get isStill(): boolean {
    return this.#fate !== 'runs' && this.#fate !== 'gone';
  }

  /** True while it has yet to get to what came while it stood still. */
  get isBehind(): boolean {
    return this.#late.length > 0;
  }

  /** True if it knows that it holds a lock. */
  get isHolding(): boolean {
    return [...this.#claims].some(({ isHeld, isOver }) => isHeld && !isOver);
  }

  requestLock(name: string, wanted: LockRequest): () => void {
    const { locks, lockRequest, isLockShared } = this.#parts;
    const known = isLockShared ? name : this.#withVersion(name);
    const claim: Claim = { tab: this, request: lockRequest(wanted), isHeld: false, isOver: false };
    this.#claims.add(claim);
    // A page that freezes just now asks when it goes on.
    this.#take('lock', () => {
      if (!claim.isOver) this.#toBrowser.send(this.#lockMs(), () => locks.ask(known, claim));
    });
    return () => {
      claim.isOver = true;
      this.#claims.delete(claim);
      this.#toBrowser.send(this.#lockMs(), () => locks.drop(known, claim));
    };
  }

  openChannel(name: string, onMessage: (message: unknown) => void): TabChannel {
    return this.#parts.channels.open(this.#withVersion(name), this, onMessage);
  }

  isVisible(): boolean {
    return this.#parts.isSeen();
  }

  tellOfLock(work: () => void): void {
    this.#fromBrowser.send(this.#lockMs(), () => this.#take('lock', work));
  }

  numberMessage(): number {
    return ++this.#sent;
  }

  isLost(message: number): boolean {
    return this.#isCutShort && message > this.#safe;
  }

  /** Its storage does what it was asked: what the tab sent before is on its way as well. */
  stores(): void {
    this.#safe = this.#sent;
  }

  hear(work: () => void): void {
    this.#take('message', work);
  }

  /** Lets the tab hear something from elsewhere as soon as it can. */
  whenRunning(work: () => void): void {
    this.#take('answer', work);
  }

  /** Runs what a timer was set for, when the browser gets to it. */
  runTimer(work: () => void): void {
    this.#take('timer', () => {
      if (this.#parts.isSeen()) return work();
      if (this.#slow.push(work) > 1) return;
      const { time } = this.#parts;
      time.after(MINUTE_MS - (time.now() % MINUTE_MS), () => this.runSlowTimers());
    });
  }

  /** Runs the timers that are due in a tab that nobody has seen. */
  runSlowTimers(): void {
    const slow = this.#slow;
    this.#slow = [];
    for (const work of slow) this.#parts.time.after(0, () => this.#take('timer', work));
  }

  /** Resolves when the tab can go on; `undefined` while it does. */
  whileStill(): Promise<void> | undefined {
    if (!this.#mustWait('answer')) return undefined;
    return new Promise((resolve) => {
      this.#late.push({ kind: 'answer', work: resolve });
    });
  }

  /** Stops the tab where it stands. */
  stop(how: TabStandstill): void {
    if (this.#fate !== 'runs') return;
    this.#fate = how;
    if (how === 'hangs' || this.#parts.isFreezeUntold) return;
    for (const claim of [...this.#claims]) if (claim.isHeld && !claim.isOver) claim.request.onLost();
  }

  /** Lets it go on with all that came meanwhile. */
  goOn(): void {
    if (!this.isStill) return;
    this.#fate = 'runs';
    // In the order in which it came, or first all of one kind.
    const { random } = this.#parts;
    if (random.chance(0.5)) {
      const order = new Map(KINDS.map((kind) => [kind, random.next()]));
      this.#late.sort((a, b) => (order.get(a.kind) ?? 0) - (order.get(b.kind) ?? 0));
    }
    this.#catchUp();
  }

  /** Ends it in the middle of whatever it does; the browser notices some time later. */
  die(): void {
    if (this.isGone) return;
    const { time, random, locks, deathMs } = this.#parts;
    this.#fate = 'gone';
    this.#late = [];
    this.#isCutShort = random.chance(0.5);
    time.after(deathMs(), () => locks.forget(this));
  }

  /** The name as the tab's own version of the app makes it: the version of the messages is in it. */
  #withVersion(name: string): string {
    return this.isOlder ? name.replace(/-\d+:/, '-0:') : name;
  }

  #lockMs(): number {
    return this.#parts.random.between(0, LOCK_MS);
  }

  #take(kind: Kind, work: () => void): void {
    if (this.isGone) return;
    if (this.#mustWait(kind)) this.#late.push({ kind, work });
    else work();
  }

  #mustWait(kind: Kind): boolean {
    // Nothing overtakes what has waited longer.
    if (this.#late.some((late) => late.kind === kind)) return true;
    // A frozen page may hear messages, as in Chromium.
    return this.isStill && !(this.#fate === 'frozen' && kind === 'message');
  }

  /** One thing after another, as browsers run their tasks. */
  #catchUp(): void {
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    this.#parts.time.after(0, () => {
      this.#isCatchingUp = false;
      if (this.#fate !== 'runs') return;
      this.#late.shift()?.work();
      if (this.#late.length > 0) this.#catchUp();
    });
  }
}
