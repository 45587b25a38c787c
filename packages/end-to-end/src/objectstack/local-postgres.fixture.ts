/** A PostgreSQL database for a local data engine. */
import { SqlDriver } from '@objectstack/driver-sql';
import type { ObjectQL } from '@objectstack/objectql';
import { inject, onTestFinished } from 'vitest';
import { openPostgresFixture } from '../../../protocol-sync/src/storage/postgres/postgres-database.fixture.js';

/** A driver on a schema of its own, and what looks at its locks. */
export async function openPostgresDriver(isolation: 'read committed' | 'repeatable read') {
  const { schema, connect, remove } = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(remove);
  const options = `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`;
  const connection = { connectionString: inject('postgresUrl'), options };
  const watcher = connect();
  const openDriver = () => new SqlDriver({ client: 'pg', connection, searchPath: [schema], pool: { min: 0, max: 4 } });
  return {
    driver: openDriver(),
    /** Another process's driver on the same schema. */
    openDriver,
    /** Resolves once somebody waits for the transaction of the running code. */
    async somebodyWaits(engine: ObjectQL): Promise<void> {
      const { rows } = await engine.transaction(({ transaction }) =>
        engine.execute('SELECT pg_backend_pid() AS pid', { transaction }),
      );
      const waiting = 'SELECT 1 FROM pg_locks WHERE $1 = ANY (pg_blocking_pids(pid))';
      for (;;) if ((await watcher.query(waiting, [rows[0].pid])).rows.length > 0) return;
    },
  };
}
