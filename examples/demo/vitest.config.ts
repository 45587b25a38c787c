import { defineConfig } from 'vitest/config';
import { limits } from '../../vitest.limits.js';

export default defineConfig({
  test: { name: 'demo', include: ['*.test.ts'], ...limits },
});
