/** A resolver that writes an application's own table in the push's transaction. */
import type { RecordResolver } from '../../records/record-resolver.js';
import { RejectionError } from '../../records/record-resolver.js';
import type { PostgresClient } from './postgres-pool.js';

/** Notes each mutation in `table`, which takes an id twice so that a write made twice is seen; refuses `refused` titles. */
export function writesResolver(table: string): RecordResolver {
  return {
    transactional: true,
    getRecord: () => undefined,
    async applyMutation({ id, data }, _version, { transaction }) {
      // A transactional resolver on a PostgreSQL store is given that store's client.
      await (transaction as PostgresClient).query(`INSERT INTO ${table} (mutation_id) VALUES ($1)`, [id]);
      if (data?.title === 'refused') throw new RejectionError('VALIDATION', 'This title is refused.');
    },
  };
}
