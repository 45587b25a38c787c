import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'todo', include: ['**/*.test.ts'], globalSetup: 'test/build-once.ts', testTimeout: 30_000 },
});
