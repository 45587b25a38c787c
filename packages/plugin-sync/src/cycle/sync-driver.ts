/** Carries out what the machine of `sync-state.ts` decides: arms its timer and runs one sync at a time. */
import type { SyncPushResponse } from '@objectql/sync-types';
import type { Listeners } from '../listeners/listeners.js';
import type { ObjectConfigs } from '../object-configs.js';
import type { Platform } from '../platform/platform.js';
import { failureEvent } from './failure-event.js';
import type { SyncCycle } from './sync-cycle.js';
import { initialState, type SyncEvent, type SyncState, transition } from './sync-state.js';

export interface DriverParts {
  readonly platform: Platform;
  readonly configs: ObjectConfigs;
  readonly listeners: Listeners;
  readonly cycle: SyncCycle;
  /** Called after every event. */
  readonly onState: () => void;
  /** Called with the answer, if there was one, when a sync has ended well. */
  readonly onCompleted: (answer: SyncPushResponse | null) => void;
}

interface Running {
  readonly controller: AbortController;
  /** Never rejects. */
  readonly ended: Promise<SyncPushResponse | null>;
}

export class SyncDriver {
  readonly #parts: DriverParts;
  readonly #stopConnectivity: () => void;
  #state: SyncState;
  #disarm: () => void = () => {};
  #running: Running | undefined;

  constructor(parts: DriverParts) {
    this.#parts = parts;
    const { platform, configs } = parts;
    this.#state = initialState({ isEnabled: configs.isEnabled, isOnline: platform.isOnline() });
    this.#stopConnectivity = platform.onConnectivity((isOnline) =>
      this.dispatch({ type: isOnline ? 'online' : 'offline' }),
    );
  }

  get state(): SyncState {
    return this.#state;
  }

  /** Syncs now, or joins the sync under way; includes what was recorded before. `null` where sync is not allowed. */
  async request(): Promise<SyncPushResponse | null> {
    if (this.#state.at === 'syncing') this.#parts.cycle.include();
    else this.dispatch({ type: 'requested' });
    return this.#state.at === 'syncing' && this.#running ? this.#running.ended : null;
  }

  dispatch(event: SyncEvent): void {
    const before = this.#state;
    const { platform } = this.#parts;
    const state = transition(before, event, { now: platform.now(), isOnline: platform.isOnline() });
    this.#state = state;
    if (state !== before) this.#enter(state);
    this.#parts.onState();
  }

  /** Ends the sync under way and waits until it has. */
  async close(): Promise<void> {
    this.#stopConnectivity();
    this.dispatch({ type: 'closed' });
    await this.#running?.ended;
  }

  #enter(state: SyncState): void {
    const { platform } = this.#parts;
    this.#disarm();
    if (state.at === 'syncing') this.#start();
    else if (state.at === 'waiting') {
      this.#disarm = platform.setTimer(() => this.dispatch({ type: 'due' }), state.until - platform.now());
    } else if (state.at === 'paused' || state.at === 'closed') this.#running?.controller.abort();
  }

  #start(): void {
    const controller = new AbortController();
    // A stopped sync still winds down; two at once would send the same mutations twice.
    const previous = this.#running?.ended ?? Promise.resolve(null);
    this.#running = { controller, ended: previous.then(() => this.#run(controller)) };
  }

  async #run({ signal }: AbortController): Promise<SyncPushResponse | null> {
    const { platform, cycle, listeners, onCompleted } = this.#parts;
    if (signal.aborted) return null;
    try {
      let answer = await cycle.run(signal);
      // Somebody may have joined between the cycle's last look and now.
      while (!signal.aborted && cycle.hasWork()) answer = await cycle.run(signal);
      if (signal.aborted) return answer;
      this.dispatch({ type: 'drained', ...cycle.unsent() });
      onCompleted(answer);
      return answer;
    } catch (error) {
      if (signal.aborted) return null;
      listeners.report(error);
      this.dispatch(failureEvent(error, { jitter: platform.random(), hasAdvanced: cycle.hasAdvanced }));
      return null;
    }
  }
}
