import { defineConfig } from 'vitest/config';
import { limits } from '../../vitest.limits.js';

export default defineConfig({
  test: {
    name: 'protocol-sync',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Half of the time went into imports. A test puts back what it stubs, as it does for the next test of its file.
    isolate: false,
    globalSetup: ['src/storage/postgres/postgres-server.fixture.ts'],
    ...limits,
  },
});
