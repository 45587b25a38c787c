import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'protocol-sync',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['src/storage/postgres/postgres-server.fixture.ts'],
    // Far above what any test takes, since a busy machine is no fault.
    testTimeout: 30_000,
  },
});
