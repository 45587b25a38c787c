import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'objectstack-server', include: ['*.test.ts'], testTimeout: 120_000 },
});
