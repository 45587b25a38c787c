import { defineConfig } from 'vitest/config';
import { limits } from '../../vitest.limits.js';

export default defineConfig({
  test: { name: 'objectstack-range', include: ['src/**/*.test.ts'], ...limits },
});
