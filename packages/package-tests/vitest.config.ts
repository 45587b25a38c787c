import { defineConfig } from 'vitest/config';
import { limits } from '../../vitest.limits.js';

export default defineConfig({
  test: {
    name: 'package-tests',
    include: ['src/**/*.test.ts'],
    globalSetup: 'src/build-user-project.ts',
    ...limits,
  },
});
