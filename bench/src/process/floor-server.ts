/**
 * The floor: the least that moves the same records as JSON over HTTP. No versions, no conflicts, no second try, nothing
 * durable; who comes last is right. What a sync server costs is what it takes above this.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { digestOf } from '../data/digest.js';
import type { TaskChange } from '../data/task.js';
import { type BenchServer, listen } from './bench-server.js';

/** `POST /push` takes changes, `GET /log?from=` and `GET /records?from=` answer up to `&to=`, `GET /events` sends them. */
export async function startFloorServer(): Promise<BenchServer> {
  const records = new Map<string, object>();
  const log: TaskChange[] = [];
  const listeners = new Set<ServerResponse>();
  let ids: readonly string[] = [];
  const take = (changes: readonly TaskChange[]) => {
    for (const [id, data] of changes) {
      const record = records.get(id);
      if (record) Object.assign(record, data);
      else records.set(id, { ...data });
      log.push([id, data]);
    }
    for (const listener of listeners) listener.write(`data: ${JSON.stringify(changes)}\n\n`);
  };
  const server = createServer((request, response) => {
    if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      listeners.add(response);
      response.once('close', () => listeners.delete(response));
      return;
    }
    void answer(request).then((value) => {
      const body = Buffer.from(JSON.stringify(value));
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
      response.end(body);
    });
  });
  const answer = async (request: IncomingMessage): Promise<unknown> => {
    if (request.method === 'POST') {
      take(JSON.parse((await bodyOf(request)).toString()) as readonly TaskChange[]);
      return { head: log.length };
    }
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const [from, to] = [Number(searchParams.get('from')), Number(searchParams.get('to'))];
    if (pathname === '/log') return log.slice(from, to);
    if (ids.length !== records.size) ids = [...records.keys()];
    return ids.slice(from, to).map((id) => [id, records.get(id)]);
  };
  const { port, bytes } = await listen(server);
  return {
    port,
    bytes,
    apply: async (changes) => take(changes),
    digest: async () => digestOf(records),
    checkpoint: async () => String(log.length),
    close: async () => void server.close(),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
