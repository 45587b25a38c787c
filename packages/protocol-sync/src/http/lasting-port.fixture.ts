/** Ports for servers that tests end and start again, or that start a while after their port was chosen. */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that systems hand out by themselves, to servers on any port and to connections. */
const FIRST_PORT = 15_000;
const PORTS = 15_000;

/** A free port of 127.0.0.1. While nobody listens on it, no other test is given it by the system. */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + randomInt(PORTS);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    await once(server.close(), 'close');
    return true;
  } catch {
    return false;
  }
}
