import { describe, expect, inject, it } from 'vitest';
import { storeModelContract } from '../contract/model.contract.js';
import { storeContract } from '../store.contract.js';
import { openPostgresFixture } from './postgres-database.fixture.js';

const open = () => openPostgresFixture(inject('postgresUrl'));

storeContract(
  'PostgresStore',
  { open, abilities: ['reopen', 'openAnother', 'backUp', 'makeNewer', 'notes'] },
  { describe, it, expect },
);
storeModelContract('PostgresStore', open, 20);
