/** How a sync client writes into a data engine that a sync server on the same kernel serves to devices. */

/** The name of the kernel's service, if there is such a server. */
export const ENGINE_FEED = 'sync-protocol.feed';

/** The feed in which devices find what is written. */
export interface EngineFeed {
  /**
   * Runs `work`, which writes through the engine, in one transaction with the feed's entries: the `given` one, that of
   * the running code, or a new one. What the records are at its end is what devices get. Other writers wait for that
   * end before they lock anything else, so what `work` locks is always locked after the feed.
   */
  around<T>(work: () => Promise<T>, given?: unknown): Promise<T>;
}
