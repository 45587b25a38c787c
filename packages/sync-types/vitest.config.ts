import { defineConfig } from 'vitest/config';
import { limits } from '../../vitest.limits.js';

export default defineConfig({
  test: {
    name: 'sync-types',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    ...limits,
    // Almost all of it is pure, and leaves nothing behind for the next file. Most of a process's time went into imports.
    isolate: false,
  },
});
