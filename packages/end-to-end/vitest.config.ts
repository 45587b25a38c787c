import { defineConfig } from 'vitest/config';
import { limits } from '../../vitest.limits.js';

export default defineConfig({
  test: {
    name: 'end-to-end',
    include: ['src/**/*.test.{ts,js}'],
    // ObjectStack takes seconds to load. A test puts back what it stubs, as it does for the next test of its file.
    isolate: false,
    globalSetup: ['../protocol-sync/src/storage/postgres/postgres-server.fixture.ts'],
    ...limits,
  },
});
