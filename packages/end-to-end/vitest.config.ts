import { defineConfig } from 'vitest/config';
import { limits } from '../../vitest.limits.js';

export default defineConfig({
  test: {
    name: 'end-to-end',
    include: ['src/**/*.test.{ts,js}'],
    globalSetup: ['../protocol-sync/src/storage/postgres/postgres-server.fixture.ts'],
    ...limits,
  },
});
