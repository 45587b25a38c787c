/** Tells the service worker which files the app consists of, so that it starts without a network. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** Writes `service-worker.js` with the list of all built files, and a version that changes whenever one of them does. */
export function offlineStart(): Plugin {
  let root = '';
  return {
    name: 'offline-start',
    apply: 'build',
    enforce: 'post',
    configResolved(config) {
      root = config.root;
    },
    generateBundle(_options, bundle) {
      const publicFiles = readdirSync(join(root, 'public'));
      const hash = createHash('sha256');
      for (const output of Object.values(bundle)) hash.update(output.type === 'chunk' ? output.code : output.source);
      for (const file of publicFiles) hash.update(readFileSync(join(root, 'public', file)));
      const worker = readFileSync(join(root, 'src/service-worker.js'), 'utf8');
      hash.update(worker);
      const paths = ['/', ...Object.keys(bundle).map((file) => `/${file}`), ...publicFiles.map((file) => `/${file}`)];
      const source = worker
        .replace("'VERSION'", JSON.stringify(hash.digest('hex').slice(0, 16)))
        .replace("'FILES'", JSON.stringify(paths.filter((path) => path !== '/index.html')));
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
    },
  };
}
