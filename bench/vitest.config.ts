import { defineConfig } from 'vitest/config';
import { limits } from '../vitest.limits.js';

export default defineConfig({ test: { name: 'bench', include: ['src/**/*.test.ts'], ...limits } });
