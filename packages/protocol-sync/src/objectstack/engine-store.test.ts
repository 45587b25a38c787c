import { afterAll, describe, expect, it, vi } from 'vitest';
import { storeModelContract } from '../storage/contract/model.contract.js';
import { storeContract } from '../storage/store.contract.js';
import { engineFixtures } from './engine-store.fixture.js';

// ObjectStack takes seconds to load on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const { open, stop } = engineFixtures();
afterAll(stop);

storeContract(
  'EngineStore',
  { open, abilities: ['reopen', 'openAnother', 'backUp', 'makeNewer', 'notes'] },
  { describe, it, expect },
);
storeModelContract('EngineStore', open, 8);
