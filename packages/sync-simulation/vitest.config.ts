import { defineConfig } from 'vitest/config';
import { limits } from '../../vitest.limits.js';

export default defineConfig({
  test: { name: 'sync-simulation', include: ['src/**/*.test.ts'], ...limits },
});
