import { defineConfig } from 'vitest/config';
import { limits } from '../vitest.limits.js';

export default defineConfig({
  test: {
    name: 'docs',
    include: ['*.test.ts'],
    globalSetup: ['../packages/protocol-sync/src/storage/postgres/postgres-server.fixture.ts'],
    ...limits,
    // Two programs at a time: more would wait for each other on a small machine.
    maxConcurrency: 2,
  },
});
