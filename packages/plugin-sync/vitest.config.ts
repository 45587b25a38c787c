import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'plugin-sync', include: ['src/**/*.test.ts', 'test/**/*.test.ts'] },
});
