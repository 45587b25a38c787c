/** A server in a process of its own: told what to do by messages, asked over HTTP. Its argument is a `ServerKind`. */
import type { BenchServer, ServerKind } from './bench-server.js';
import { startFloorServer } from './floor-server.js';
import { startSyncServer } from './sync-server.js';

/** What can be asked by message: the methods of a bench server. */
export interface ServerCall {
  readonly id: number;
  readonly method: 'apply' | 'digest' | 'checkpoint' | 'bytes' | 'peakRss' | 'cpuMs' | 'close';
  readonly value?: unknown;
}

export type ServerReply =
  | { readonly ready: number }
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };

const kind = JSON.parse(process.argv[2] ?? '{}') as ServerKind;
const server =
  kind.serves === 'floor' ? await startFloorServer() : await startSyncServer(kind.store, kind.maxMutations);
const reply = (message: ServerReply) => process.send?.(message);

process.on('message', (call: ServerCall) => {
  perform(server, call).then(
    (value) => reply({ id: call.id, value }),
    (error: unknown) => reply({ id: call.id, error: String(error instanceof Error ? error.stack : error) }),
  );
});
process.on('disconnect', () => process.exit(0));
reply({ ready: server.port });

async function perform(served: BenchServer, { method, value }: ServerCall): Promise<unknown> {
  switch (method) {
    case 'apply':
      // Sent by `server-link.ts`, which has it typed.
      return served.apply(value as Parameters<BenchServer['apply']>[0]);
    case 'digest':
      return served.digest();
    case 'checkpoint':
      return served.checkpoint();
    case 'bytes':
      return served.bytes();
    case 'peakRss':
      return process.resourceUsage().maxRSS * 1024;
    case 'cpuMs': {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    }
    case 'close':
      return served.close();
  }
}
