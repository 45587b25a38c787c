import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'end-to-end',
    include: ['src/**/*.test.{ts,js}'],
    globalSetup: ['../protocol-sync/src/storage/postgres/postgres-server.fixture.ts'],
    testTimeout: 20_000,
  },
});
