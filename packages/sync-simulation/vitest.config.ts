import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'sync-simulation', include: ['src/**/*.test.ts'], testTimeout: 60_000 },
});
