/** Learns of commits of other processes, as PostgreSQL announces them. */
import type { Platform } from '../../platform/platform.js';
import type { PostgresClient } from './postgres-pool.js';

export interface AnnouncementOptions {
  readonly connect: () => Promise<PostgresClient>;
  /** The quoted name of the channel to listen on. */
  readonly channel: string;
  /** Reads the feed's head. */
  readonly readHead: (client: PostgresClient) => Promise<number>;
  readonly onHead: (head: number) => void;
  readonly platform: Pick<Platform, 'setTimer'>;
}

/** 1 s between two tries to connect: commits are noticed soon after the database is back. */
const RECONNECT_MS = 1000;
/**
 * 15 s: how late a commit may be noticed that was not announced, as behind a pooler; and how long a connection may take
 * to answer. So behind a connection that fell silent, a commit is noticed after twice that and a second.
 */
const LOOK_MS = 15_000;

/**
 * Listens on a connection of its own until `stop`, and tells the head whenever it may have moved: on an announcement,
 * after every connect (what was announced in between was missed), and every 15 s.
 *
 *   connecting ──listening──▶ listening ──lost, or silent──▶ waiting ──1 s──▶ connecting
 */
export class PostgresAnnouncements {
  readonly #options: AnnouncementOptions;
  #client: PostgresClient | undefined;
  #cancelTimer: () => void = () => {};
  #isStopped = false;
  #connecting: Promise<void>;

  constructor(options: AnnouncementOptions) {
    this.#options = options;
    this.#connecting = this.#connect();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTimer();
    this.#drop();
    // What the connection was asked may never be answered, so nobody waits for that.
    await this.#connecting;
  }

  async #connect(): Promise<void> {
    try {
      const client = await this.#options.connect();
      if (this.#isStopped) return client.release();
      this.#client = client;
      client.on('error', this.#onLost);
      client.on('end', this.#onLost);
      client.on('notification', this.#onNotification);
      void this.#look(client, () => client.query(`LISTEN ${this.#options.channel}`));
    } catch {
      // The database may be down for long; requests that need it report what is wrong.
      this.#onLost();
    }
  }

  /** Tells the head, then arms the next look. If no answer comes until then, the connection counts as lost. */
  async #look(client: PostgresClient, before: () => Promise<unknown> = async () => {}): Promise<void> {
    this.#arm(() => this.#onLost(), LOOK_MS);
    try {
      await before();
      const head = await this.#options.readHead(client);
      if (client !== this.#client) return;
      this.#options.onHead(head);
      this.#arm(() => void this.#look(client), LOOK_MS);
    } catch {
      // One that was given up may fail late, when another has taken its place.
      if (client === this.#client) this.#onLost();
    }
  }

  readonly #onNotification = ({ payload }: { readonly payload?: string | undefined }): void => {
    const head = Number(payload);
    // The channel is named after the schema, so the application might use it too.
    if (Number.isSafeInteger(head)) this.#options.onHead(head);
  };

  readonly #onLost = (): void => {
    this.#drop();
    if (this.#isStopped) return;
    this.#arm(() => {
      this.#connecting = this.#connect();
    }, RECONNECT_MS);
  };

  #drop(): void {
    const client = this.#client;
    if (!client) return;
    this.#client = undefined;
    client.removeListener('end', this.#onLost);
    client.removeListener('notification', this.#onNotification);
    client.removeListener('error', this.#onLost);
    // A broken connection may emit another error, which would end the process without a listener.
    client.on('error', () => {});
    client.release(true);
  }

  #arm(work: () => void, delayMs: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#options.platform.setTimer(work, delayMs);
  }
}
