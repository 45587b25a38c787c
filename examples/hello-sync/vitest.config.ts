import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'hello-sync', include: ['*.test.ts'], testTimeout: 30_000 },
});
