import { defineConfig } from 'vitest/config';
import { limits } from '../../vitest.limits.js';

export default defineConfig({
  test: { name: 'plugin-sync', include: ['src/**/*.test.ts', 'test/**/*.test.ts'], ...limits },
});
