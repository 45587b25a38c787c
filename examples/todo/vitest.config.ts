import { defineConfig } from 'vitest/config';
import { limits } from '../../vitest.limits.js';

export default defineConfig({
  test: { name: 'todo', include: ['**/*.test.ts'], globalSetup: 'test/build-once.ts', ...limits },
});
