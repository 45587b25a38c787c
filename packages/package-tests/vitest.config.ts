import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'package-tests',
    include: ['src/**/*.test.ts'],
    // Building, packing and installing three packages takes a minute on two busy cores.
    hookTimeout: 300_000,
    testTimeout: 120_000,
  },
});
