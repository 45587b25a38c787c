/** The server of a web app in this process: one page for every tab, and sync behind real HTTP. */
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
// biome-ignore lint/style/noRestrictedImports: as above.
import { toNodeHandler } from '../../../protocol-sync/src/http/node.js';
// biome-ignore lint/style/noRestrictedImports: the client is proven against the real server; only tests do this.
import { createSyncEndpoint, SyncHandler } from '../../../protocol-sync/src/index.js';

export interface AppServer {
  readonly url: string;
  readonly handler: SyncHandler;
  /** Which tab sent what: the tab's name and the record of each mutation, in the order of arrival. */
  readonly pushes: readonly { readonly tab: string; readonly mutations: readonly SentMutation[] }[];
  /** Answers the tabs that are blocked. */
  unblock(): void;
  close(): Promise<void>;
}

export interface SentMutation {
  readonly id: string;
  readonly recordId: string;
  readonly sequence: number;
}

/** Serves `script` to every tab, on a port of its own. */
export async function startAppServer(script: string): Promise<AppServer> {
  const handler = new SyncHandler({ strategy: 'last-write-wins' });
  const pushes: { tab: string; mutations: readonly SentMutation[] }[] = [];
  const endpoint = createSyncEndpoint({ handler });
  const sync = toNodeHandler(async (request: Request) => {
    const body = await request.clone().text();
    const tab = request.headers.get('x-tab') ?? '';
    const { mutations = [] } = body === '' ? {} : JSON.parse(body);
    pushes.push({ tab, mutations });
    return endpoint(request);
  });
  const blocked: ServerResponse[] = [];
  const server: Server = createServer((request, response) => {
    if (request.url?.startsWith('/api/sync')) return void sync(request, response);
    if (request.url === '/block') return void blocked.push(response);
    const isScript = request.url === '/app.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : '<!doctype html><script src="/app.js"></script>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const unblock = () => {
    for (const response of blocked.splice(0)) response.end();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    handler,
    pushes,
    unblock,
    async close() {
      unblock();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
