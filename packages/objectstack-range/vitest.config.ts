import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'objectstack-range', include: ['src/**/*.test.ts'], testTimeout: 20_000 },
});
