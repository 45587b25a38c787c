import { defineConfig } from 'vitest/config';
import { limits } from '../../vitest.limits.js';

export default defineConfig({
  test: {
    name: 'protocol-sync',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['src/storage/postgres/postgres-server.fixture.ts'],
    ...limits,
  },
});
