import { defineConfig } from 'vite';
import { offlineStart } from './server/offline-start.js';

export default defineConfig({
  plugins: [offlineStart()],
  build: { assetsInlineLimit: 0 },
  server: { proxy: { '/api': 'http://127.0.0.1:4100' } },
});
