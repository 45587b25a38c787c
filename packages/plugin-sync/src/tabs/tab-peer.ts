/**
 * One tab among those that share a storage.
 *
 *   every tab   records in the log itself, reads again what others wrote, shows what the leader says of sync
 *   the leader  is the only one to talk to the server, and does for the others what only it can
 */
import { assertNever, type SyncPushResponse } from '@objectql/sync-types';
import type { MutationOutcome } from '../answer/mutation-outcome.js';
import type { SyncEvent, SyncState } from '../cycle/sync-state.js';
import type { Platform } from '../platform/platform.js';
import type { TabChannel, TabHost } from '../platform/tab-host.js';
import type { ClientStorage } from '../storage/client-storage.js';
import type { SyncFacts } from '../sync-status.js';
import { LeaderElection } from './leader-election.js';
import { relay, tellListeners } from './listener-relay.js';
import type { Driver, TabGroup, TabMember } from './tab-group.js';
import type { Envelope, TabMessage, Wish, WishError } from './tab-message.js';
import { tellingStorage } from './telling-storage.js';
import { Wishes } from './wishes.js';
import { WriteWatch } from './write-watch.js';

export interface PeerParts {
  readonly host: TabHost;
  readonly platform: Platform;
  readonly storage: ClientStorage;
  /** Names lock and channel: the same for all tabs on one storage. */
  readonly name: string;
}

/** 2 s: the delay before a storage that did not open is tried again. */
const REOPEN_MS = 2000;

type Stands = Extract<TabMessage, { readonly type: 'stands' }>;

export class TabPeer implements TabGroup, Driver {
  readonly storage: ClientStorage;
  readonly #platform: Platform;
  readonly #host: TabHost;
  readonly #id: string;
  readonly #channel: TabChannel;
  readonly #election: LeaderElection;
  readonly #wishes: Wishes;
  #member: TabMember | undefined;
  #watch: WriteWatch | undefined;
  /** What the leader said last. */
  #leader: Stands | undefined;
  /** Names this tab's own leadership; `undefined` while it follows. */
  #term: string | undefined;
  #isPaused = false;
  #hasLeft = false;
  #said = '';
  #settled: (readonly [string, MutationOutcome])[] = [];
  /** True while what another tab told is passed on here: it is not told again. */
  #isTelling = false;
  #cancelReopen: () => void = () => {};

  constructor({ host, platform, storage, name }: PeerParts) {
    this.#platform = platform;
    this.#host = host;
    this.#id = platform.newId();
    this.#channel = host.openChannel(name, (data) => this.#hear(data));
    this.storage = tellingStorage(storage, (message) => {
      if (message.type === 'wrote') this.#watch?.wrote(message.revision);
      this.#post(message);
    });
    this.#election = new LeaderElection({
      host,
      platform,
      lockName: name,
      onLead: () => void this.#lead(),
      onFollow: () => this.#follow(),
      ask: () => this.#post({ type: 'asked' }),
    });
    this.#wishes = new Wishes((id, wish) => {
      if (this.#term === undefined) this.#post({ type: 'wants', id, wish });
      else void this.#fulfil(wish, (value, error) => this.#wishes.done(id, value, error));
    });
  }

  drive(member: TabMember): Driver {
    const { log, driver, listeners, intake } = member;
    this.#member = member;
    this.#watch = new WriteWatch({
      log,
      platform: this.#platform,
      onReread: (changed) => {
        intake.tellReread(changed);
        member.schedule();
      },
      onFailed: listeners.report,
    });
    // The tab's own driver rests until the tab leads.
    driver.dispatch({ type: 'paused' });
    listeners.add(
      relay((event) => this.#term !== undefined && !this.#isTelling && this.#post({ type: 'happened', event })),
    );
    this.#post({ type: 'asked' });
    void this.#join(member);
    return this;
  }

  get state(): SyncState {
    const own = this.#driver.state;
    // A follower's driver rests, and so does a new leader's until it has read what was stored.
    if (own.at !== 'paused' || this.#isPaused) return own;
    if (this.#leader) return this.#leader.state;
    return this.#platform.isOnline() ? { at: 'idle' } : { at: 'offline', failures: 0 };
  }

  facts(own: SyncFacts): SyncFacts {
    if (this.#term !== undefined || !this.#leader) return own;
    if (!this.#joined.log.isFailing) return this.#leader.facts;
    const { lastError, lastErrorCode } = own;
    return { ...this.#leader.facts, lastError, lastErrorCode };
  }

  request(): Promise<SyncPushResponse | null> {
    // The saver tells why nothing could be stored, and goes on trying.
    return this.#ask<SyncPushResponse | null>({ do: 'sync' }).catch(() => null);
  }

  outcomeOf(mutationId: string): Promise<MutationOutcome> {
    // Only this tab knows what could not be stored yet, and the leader may have started after an outcome was told to all
    // tabs.
    return this.#ask<MutationOutcome>({ do: 'outcome', mutationId }).catch(() =>
      this.#joined.intake.outcomeOf(mutationId),
    );
  }

  dispatch(event: SyncEvent): void {
    switch (event.type) {
      case 'paused':
      case 'resumed':
      case 'cancelled':
        this.#post({ type: 'told', what: event.type });
        return this.#told(event.type);
      case 'refused':
        // A tab of another user must neither keep this user's tabs from leading nor hear of them.
        this.leave();
        return this.#driver.dispatch(event);
      default:
        // A follower's driver rests whatever it is told: the leader finds this tab's mutations in the storage.
        this.#driver.dispatch(event);
    }
  }

  /** Tells the others of what is settled, also what this tab stored while it lost the lead. */
  tellSettled(id: string, outcome: MutationOutcome): void {
    if (this.#isTelling) return;
    if (this.#settled.push([id, outcome]) > 1) return;
    // Everything that one answer settles goes as one message.
    void Promise.resolve().then(() => {
      this.#post({ type: 'settled', outcomes: this.#settled });
      this.#settled = [];
    });
  }

  /** Tells the other tabs how sync stands, if that has changed. */
  changed(): void {
    this.#say('news');
  }

  close(): Promise<void> {
    return this.#driver.close();
  }

  leave(): void {
    this.#hasLeft = true;
    this.#cancelReopen();
    this.#watch?.stop();
    this.#term = undefined;
    this.#leader = undefined;
    this.#election.leave();
    this.#channel.close();
    this.#wishes.end({ code: 'CLOSED', message: 'The client is closed.' });
  }

  get #driver(): Driver {
    return this.#joined.driver;
  }

  get #joined(): TabMember {
    if (!this.#member) throw new Error('A tab is asked for its client before it was given one.');
    return this.#member;
  }

  async #ask<T>(wish: Wish): Promise<T> {
    // The leader can send only what is stored.
    if (this.#term === undefined) await this.#joined.log.flush();
    // A cast, because the leader answers a wish with what `#do` returns.
    return this.#wishes.ask(this.#platform.newId(), wish) as Promise<T>;
  }

  /** Stands for election only once the storage opens. */
  async #join(member: TabMember): Promise<void> {
    try {
      await member.log.load();
    } catch (error) {
      if (this.#hasLeft) return;
      member.listeners.report(error);
      this.#cancelReopen = this.#platform.setTimer(() => void this.#join(member), REOPEN_MS);
      return;
    }
    if (member.driver.state.at !== 'closed') this.#election.start();
  }

  async #lead(): Promise<void> {
    const term = this.#platform.newId();
    this.#term = term;
    // The leader before may have died between writing and telling.
    await this.#watch?.readAgain();
    if (this.#term !== term) return;
    if (!this.#isPaused) this.#driver.dispatch({ type: 'resumed' });
    this.#say('always');
    this.#wishes.askAgain();
  }

  #follow(): void {
    this.#term = undefined;
    // Whoever leads is asked again for what this tab has asked of itself, also if it has heard of that one before.
    this.#leader = undefined;
    this.#driver.dispatch({ type: 'paused' });
    this.#post({ type: 'asked' });
  }

  #told(what: 'paused' | 'resumed' | 'cancelled'): void {
    if (what !== 'cancelled') this.#isPaused = what === 'paused';
    if (this.#term !== undefined) this.#driver.dispatch({ type: what });
  }

  /** If this tab leads, tells the others how sync stands. */
  #say(when: 'news' | 'always'): void {
    const term = this.#term;
    if (term === undefined || this.#driver.state.at === 'closed') return;
    const member = this.#joined;
    const { state } = this;
    // A tab whose storage fails (for good, if a newer app has upgraded it) must not keep others from syncing.
    const isSeen = this.#host.isVisible() && !member.log.isFailing;
    const facts = member.facts();
    const said = JSON.stringify([state, facts]);
    if (when === 'news' && said === this.#said) return;
    this.#said = said;
    this.#post({ type: 'stands', term, state, facts, isPaused: this.#isPaused, isSeen });
  }

  #post(message: TabMessage): void {
    // An application may pause or resume a closed client; a closed channel would throw.
    if (!this.#hasLeft) this.#channel.post({ from: this.#id, message } satisfies Envelope);
  }

  #hear(data: unknown): void {
    const member = this.#member;
    if (!member) return;
    // A cast: nobody else knows the channel's name, which tells the version.
    const { from, message } = data as Envelope;
    switch (message.type) {
      case 'asked':
        return this.#say('always');
      case 'stands':
        return this.#hearLeader(message, member);
      case 'writing':
        return this.#watch?.begins(from);
      case 'wrote':
        return this.#watch?.ended(from, message.revision, message.changed);
      case 'settled':
        return this.#passOn(() => {
          const { log, intake } = member;
          for (const [id, outcome] of message.outcomes) {
            intake.learn(id, outcome);
            if (log.pending.isDurable(id) !== false) continue;
            // It was stored, whatever this tab's storage said. Sent once more, it might ask the user again. Nothing is
            // removed from the storage: there it may wait once more, as a dead letter that the user has retried.
            log.pending.remove(id);
            intake.tellReread();
          }
        });
      case 'happened':
        // Two tabs that both believe to lead would tell each other the same without end.
        return this.#passOn(() => tellListeners(member.listeners, message.event));
      case 'told':
        return this.#told(message.what);
      case 'wants':
        if (this.#term === undefined) return;
        void this.#fulfil(message.wish, (value, error) => this.#post({ type: 'done', id: message.id, value, error }));
        return;
      case 'done':
        return this.#wishes.done(message.id, message.value, message.error);
      default:
      // Another tab with a newer version of the app may send messages that this one does not know.
    }
  }

  #passOn(tell: () => void): void {
    this.#isTelling = true;
    tell();
    this.#isTelling = false;
  }

  #hearLeader(message: Stands, member: TabMember): void {
    this.#election.heard(message.isSeen || member.log.isFailing);
    if (this.#term !== undefined) return;
    const isNew = this.#leader?.term !== message.term;
    this.#leader = message;
    this.#isPaused = message.isPaused;
    if (isNew) {
      this.#wishes.askAgain();
      // A page opened while the leader waits for a sign-in may come from that sign-in; only its own tab knows.
      if (message.state.at === 'needs-auth') void this.request();
    }
    member.onChanged();
  }

  /**
   * Fulfils a wish and answers, unless this tab has lost its lead meanwhile or is closing: the next leader is asked
   * then.
   */
  async #fulfil(wish: Wish, answer: (value: unknown, error?: WishError) => void): Promise<void> {
    const term = this.#term;
    const isLeader = () => this.#term === term && this.#driver.state.at !== 'closed';
    try {
      // The tab that asks has written first.
      await this.#watch?.untilFresh();
      const value = await this.#do(wish);
      if (isLeader()) answer(value);
    } catch (error) {
      if (!isLeader()) return;
      const { code, message } = error as { readonly code?: string; readonly message: string };
      answer(undefined, { code, message });
    }
  }

  async #do(wish: Wish): Promise<unknown> {
    switch (wish.do) {
      case 'sync':
        return this.#driver.request();
      case 'outcome':
        return this.#joined.intake.outcomeOf(wish.mutationId);
      default:
        return assertNever(wish);
    }
  }
}
