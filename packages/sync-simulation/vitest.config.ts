import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Far above what any test takes, since a busy machine is no fault.
  test: { name: 'sync-simulation', include: ['src/**/*.test.ts'], testTimeout: 180_000 },
});
