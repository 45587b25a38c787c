/** Compares what clients were told with what the database has, and with what their mutations come to. */
import assert from 'node:assert/strict';
import { type JsonObject, type MutationLogEntry, recordKey } from '@objectql/sync-types';
import type pg from 'pg';
import type { LedgerOutcome } from '../sync-store.js';
import type { PlainLog } from './plain-log.fixture.js';

interface OracleOptions {
  readonly pool: pg.Pool;
  /** The quoted schema. */
  readonly tables: string;
  /** Whether each write was noted in the table `writes`. */
  readonly hasResolver: boolean;
}

interface Folded {
  readonly version: number;
  readonly data: JsonObject | null;
}

export class PostgresOracle {
  readonly #options: OracleOptions;
  /** By mutation; those that the ledger has dropped since, too. */
  readonly #outcomes = new Map<string, LedgerOutcome>();

  constructor(options: OracleOptions) {
    this.#options = options;
  }

  /** Answers the feed's head, and the records that are there. */
  async check(logs: readonly PlainLog[]) {
    await this.#checkOutcomes(logs);
    const mutations = logs.flatMap(({ batches }) => batches.flat());
    await this.#checkWrites(mutations);
    const folded = this.#fold(mutations);
    const stored = await this.#stored();
    const gone = [...folded.keys()].filter((key) => !stored.has(key));
    // Only a tombstone may have been dropped.
    assert.deepEqual(
      gone.filter((key) => folded.get(key)?.data !== null),
      [],
    );
    for (const [key, state] of stored) assert.deepEqual([key, state], [key, folded.get(key)]);
    const records = [...stored].flatMap(([key, { version, data }]) => (data ? [[key, version, data] as const] : []));
    const [feed] = await this.#rows<{ head: string }>('SELECT head FROM objectql_sync_feed');
    return { records: records.toSorted(), head: Number(feed?.head) };
  }

  /** Each mutation has the one outcome that its client was told. */
  async #checkOutcomes(logs: readonly PlainLog[]): Promise<void> {
    const ledger = await this.#rows<{ id: string; outcome: string }>(
      'SELECT mutation_id AS id, outcome FROM objectql_sync_ledger',
    );
    for (const { id, outcome } of ledger) {
      const parsed = JSON.parse(outcome) as LedgerOutcome;
      assert.deepEqual([id, this.#outcomes.get(id) ?? parsed], [id, parsed]);
      this.#outcomes.set(id, parsed);
    }
    for (const { batches, statuses, versions } of logs) {
      for (const { id } of batches.flat()) {
        const outcome = this.#outcomes.get(id);
        assert.deepEqual([id, statuses.get(id)], [id, outcome?.status]);
        if (outcome?.status !== 'applied') continue;
        assert.deepEqual([id, versions.get(id) ?? outcome.version], [id, outcome.version]);
      }
    }
  }

  /** What the resolver wrote is there once for each mutation that wrote, and never for another. */
  async #checkWrites(mutations: readonly MutationLogEntry[]): Promise<void> {
    if (!this.#options.hasResolver) return;
    const writes = (await this.#rows<{ id: string }>('SELECT mutation_id AS id FROM writes')).map(({ id }) => id);
    // A delete of what is deleted writes nothing.
    const isDue = ({ id, operation }: MutationLogEntry) =>
      this.#outcomes.get(id)?.status === 'applied' && (operation !== 'delete' || writes.includes(id));
    const due = mutations.filter(isDue).map(({ id }) => id);
    assert.deepEqual(writes.toSorted(), due.toSorted());
  }

  /** What the applied mutations come to, by the versions that they made. */
  #fold(mutations: readonly MutationLogEntry[]): ReadonlyMap<string, Folded> {
    const applied = mutations.flatMap((mutation) => {
      const outcome = this.#outcomes.get(mutation.id);
      return outcome?.status === 'applied' ? [{ mutation, version: outcome.version }] : [];
    });
    const folded = new Map<string, Folded>();
    // Of equal versions, the first made it.
    for (const { mutation, version } of applied.toSorted((a, b) => a.version - b.version)) {
      const key = recordKey(mutation);
      const before = folded.get(key) ?? { version: version - 1, data: null };
      if (version > before.version) {
        // Versions that are left out are those of other records, whose tombstones were dropped with this one's.
        assert.ok(before.data === null || version === before.version + 1, `${mutation.id} left a version out.`);
        folded.set(key, {
          version,
          data: mutation.operation === 'delete' ? null : { ...before.data, ...mutation.data },
        });
      } else assert.deepEqual([before, mutation.operation], [{ version, data: null }, 'delete']);
    }
    return folded;
  }

  async #stored(): Promise<ReadonlyMap<string, Folded>> {
    const rows = await this.#rows<{ object_name: string; record_id: string; version: string; data: string | null }>(
      'SELECT object_name, record_id, version, data FROM objectql_sync_records',
    );
    return new Map(
      rows.map(({ object_name: objectName, record_id, version, data }) => [
        recordKey({ objectName, recordId: JSON.parse(record_id) }),
        { version: Number(version), data: data === null ? null : JSON.parse(data) },
      ]),
    );
  }

  async #rows<Row extends pg.QueryResultRow>(text: string): Promise<readonly Row[]> {
    const { pool, tables } = this.#options;
    return (await pool.query<Row>(text.replace('FROM ', () => `FROM ${tables}.`))).rows;
  }
}
