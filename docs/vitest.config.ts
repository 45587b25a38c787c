import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'docs',
    include: ['*.test.ts'],
    globalSetup: ['../packages/protocol-sync/src/storage/postgres/postgres-server.fixture.ts'],
    testTimeout: 60_000,
    // Two programs at a time: more would wait for each other on a small machine.
    maxConcurrency: 2,
  },
});
