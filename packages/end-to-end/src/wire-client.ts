/** A client as the wire sees it: nothing but a log's numbers and a clock, so that a trace reads as it is written. */
import type { MutationLogEntry, SyncMutationResult, SyncPushResponse } from '@objectql/sync-types';
import type { SyncServer } from './sync-server.js';

export class WireClient {
  readonly clientId: string;
  readonly logId: string;
  checkpoint: string | null = null;
  /** Milliseconds the device's clock is ahead of the true time. */
  clockAheadMs: number;
  #sequence = 0;
  readonly #now: () => number;

  constructor(
    clientId: string,
    { now = Date.now, clockAheadMs = 0 }: { now?: () => number; clockAheadMs?: number } = {},
  ) {
    this.clientId = clientId;
    this.logId = `log-of-${clientId}`;
    this.#now = now;
    this.clockAheadMs = clockAheadMs;
  }

  /** A mutation made now. */
  make(parts: Pick<MutationLogEntry, 'operation'> & Partial<MutationLogEntry>): MutationLogEntry {
    this.#sequence += 1;
    return {
      id: `${this.clientId}-${this.#sequence}`,
      objectName: 'task',
      recordId: 't1',
      timestamp: this.#time(),
      clientId: this.clientId,
      sequence: this.#sequence,
      baseVersion: null,
      ...parts,
    };
  }

  /** The mutations that bring a record to that version: a create and updates of its title. */
  makeVersions(version: number): readonly MutationLogEntry[] {
    const operations = ['create', ...Array<'update'>(version - 1).fill('update')] as const;
    return operations.map((operation, index) => this.make({ operation, data: { title: String(index) } }));
  }

  /** Pushes without taking the answer's checkpoint over: as if the answer were lost. */
  send(server: SyncServer, ...mutations: MutationLogEntry[]): Promise<SyncPushResponse> {
    const { clientId, logId, checkpoint: lastCheckpoint } = this;
    return server.push({ clientId, logId, lastCheckpoint, mutations, sentAt: this.#time() });
  }

  async push(server: SyncServer, ...mutations: MutationLogEntry[]): Promise<readonly SyncMutationResult[]> {
    const answer = await this.send(server, ...mutations);
    this.checkpoint = answer.checkpoint;
    return answer.results;
  }

  async pull(server: SyncServer): Promise<SyncPushResponse> {
    const answer = await server.pull({ clientId: this.clientId, logId: this.logId, lastCheckpoint: this.checkpoint });
    this.checkpoint = answer.checkpoint;
    return answer;
  }

  #time(): string {
    return new Date(this.#now() + this.clockAheadMs).toISOString();
  }
}
