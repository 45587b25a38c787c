import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'package-tests',
    include: ['src/**/*.test.ts'],
    globalSetup: 'src/build-user-project.ts',
    testTimeout: 120_000,
  },
});
