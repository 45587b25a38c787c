/** What the benches ask of a server, beside what it answers over HTTP. */
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TaskChange } from '../data/task.js';

/** Which server to start. Plain data, because it goes to another process. */
export type ServerKind =
  | { readonly serves: 'floor' }
  | { readonly serves: 'sync'; readonly store: StoreKind; readonly maxMutations?: number };

export type StoreKind =
  | { readonly type: 'memory' }
  | { readonly type: 'sqlite' }
  | { readonly type: 'postgres'; readonly url: string };

export interface BenchServer {
  readonly port: number;
  /** Bytes that crossed its sockets so far, both ways, headers included. */
  bytes(): number;
  /** Makes the changes, as somebody else's; those of unknown records create them. */
  apply(changes: readonly TaskChange[]): Promise<void>;
  digest(): Promise<string>;
  /** The place in the feed that a client has which has seen everything. */
  checkpoint(): Promise<string>;
  close(): Promise<void>;
}

/** Begins to serve on a free port of this machine alone; answers the port and a count of what crosses its sockets. */
export async function listen(server: Server): Promise<{ readonly port: number; readonly bytes: () => number }> {
  let ended = 0;
  const open = new Set<Socket>();
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      ended += socket.bytesRead + socket.bytesWritten;
    });
  });
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bytes = () => [...open].reduce((sum, { bytesRead, bytesWritten }) => sum + bytesRead + bytesWritten, ended);
  return { port: (server.address() as AddressInfo).port, bytes };
}
