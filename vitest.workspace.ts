import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: ['packages/*', 'examples/*', 'docs', 'scripts', 'bench'],
    // One worker less, which is the default, leaves a small machine half idle: tests wait for servers and browsers.
    maxWorkers: '100%',
  },
});
