import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Far above what any test takes, since a busy machine is no fault.
  test: { name: 'plugin-sync', include: ['src/**/*.test.ts', 'test/**/*.test.ts'], testTimeout: 30_000 },
});
