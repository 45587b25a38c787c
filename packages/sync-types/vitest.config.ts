import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'sync-types',
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 30_000,
    // Almost all of it is pure, and leaves nothing behind for the next file. Most of a process's time went into imports.
    isolate: false,
  },
});
