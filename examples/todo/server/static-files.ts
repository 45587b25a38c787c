/** Serves the built app. */
import { createReadStream, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPE_BY_ENDING: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

/** A handler for the files in `folder`, and 404 for all else. */
export function staticFiles(folder: string): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const file = fileOf(folder, request.url ?? '/');
    const type = file && TYPE_BY_ENDING[extname(file)];
    if (!file || !type || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('There is no such page.');
      return;
    }
    // Names below assets carry a hash of what is in them. Everything else is asked for anew, above all the service worker.
    const isHashed = file.startsWith(join(folder, 'assets'));
    response.writeHead(200, {
      'content-type': type,
      'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      'content-security-policy': "default-src 'self'",
      'x-content-type-options': 'nosniff',
    });
    createReadStream(file).pipe(response);
  };
}

function fileOf(folder: string, url: string): string | undefined {
  const { pathname } = new URL(url, 'http://localhost');
  try {
    // `URL` has resolved every `..` that is written out; decoding may bring new ones to light.
    const path = normalize(decodeURIComponent(pathname));
    return path.includes('..') ? undefined : join(folder, path.endsWith('/') ? `${path}index.html` : path);
  } catch {
    return undefined;
  }
}
