import { SqlDriver } from '@objectstack/driver-sql';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { openPostgresFixture } from '../storage/postgres/postgres-database.fixture.js';
import { storeContract } from '../storage/store.contract.js';
import { engineFixtures } from './engine-store.fixture.js';

/** A schema of its own, for two kernels that each have their connections. */
const { schema, remove } = await openPostgresFixture(inject('postgresUrl'));
const { open, stop } = engineFixtures(
  () => new SqlDriver({ client: 'pg', connection: inject('postgresUrl'), searchPath: [schema] }),
);
afterAll(async () => {
  await stop();
  await remove();
});

storeContract(
  'EngineStore on PostgreSQL',
  { open, abilities: ['reopen', 'openAnother', 'backUp', 'makeNewer', 'notes'] },
  { describe, it, expect },
);
