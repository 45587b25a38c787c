import { defineConfig } from 'vitest/config';
import { limits } from '../../vitest.limits.js';

export default defineConfig({
  test: { name: 'hello-sync', include: ['*.test.ts'], ...limits },
});
