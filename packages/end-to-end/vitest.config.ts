import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { name: 'end-to-end', include: ['src/**/*.test.{ts,js}'], testTimeout: 20_000 },
});
