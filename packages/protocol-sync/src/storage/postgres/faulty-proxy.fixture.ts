/** A network in front of the database that fails at chosen messages. */
import { once } from 'node:events';
import { connect as connectSocket, createServer, type Server, type Socket } from 'node:net';

/** What happens at one message, of those that all connections carry from the time it is armed. */
export interface NetworkFault {
  /** To the database, or from it. */
  readonly way: 'up' | 'down';
  /** Which message, from 1; only those with a `COMMIT` are counted, if so asked. */
  readonly nth: number;
  readonly isOfCommits: boolean;
  readonly does:
    | 'cut before'
    | 'cut within'
    | 'cut behind'
    /** This connection holds everything back until the network heals. */
    | 'stall'
    /** All of them do, and new ones. */
    | 'stall all'
    /** This one passes nothing more, and its end is never told. */
    | 'silence'
    /** This one is cut, and new ones are until the network heals. */
    | 'refuse'
    /** The database ends all connections. */
    | 'terminate';
}

interface Line {
  readonly client: Socket;
  readonly database: Socket;
  state: 'passing' | 'stalled' | 'silent';
  readonly held: { readonly to: Socket; readonly bytes: Buffer }[];
}

export type FaultyProxy = Awaited<ReturnType<typeof faultyProxy>>;

/** `terminate` ends the connections behind this proxy, from within the database. */
export async function faultyProxy(databaseUrl: string, terminate: () => void = () => {}) {
  const target = new URL(databaseUrl);
  const lines = new Set<Line>();
  let faults: { readonly fault: NetworkFault; seen: number }[] = [];
  let toNew: 'passing' | 'stalled' | 'refused' = 'passing';

  const server = createServer((client) => {
    client.on('error', () => {});
    if (toNew === 'refused') return void client.destroy();
    const database = connectSocket(Number(target.port || 5432), target.hostname);
    database.on('error', () => {});
    const line: Line = { client, database, state: toNew, held: [] };
    lines.add(line);
    client.on('data', (bytes) => carry(line, 'up', bytes));
    database.on('data', (bytes) => carry(line, 'down', bytes));
    // What is on its way arrives: a stalled commit comes late, behind a client that has given up.
    client.on('close', () => line.state !== 'stalled' && database.end());
    database.on('close', () => line.state === 'passing' && client.destroy());
  });

  function carry(line: Line, way: 'up' | 'down', bytes: Buffer): void {
    const due = line.state === 'passing' ? dueAt(way, bytes) : undefined;
    const to = way === 'up' ? line.database : line.client;
    switch (due) {
      case undefined:
        break;
      case 'cut before':
        return cut(line);
      case 'cut within':
        to.write(bytes.subarray(0, bytes.length / 2));
        return cut(line);
      case 'cut behind':
        to.write(bytes);
        return cut(line);
      case 'refuse':
        toNew = 'refused';
        return cut(line);
      case 'stall':
      case 'silence':
        line.state = due === 'stall' ? 'stalled' : 'silent';
        break;
      case 'stall all':
        toNew = 'stalled';
        for (const one of lines) if (one.state === 'passing') one.state = 'stalled';
        break;
      case 'terminate':
        terminate();
    }
    if (line.state === 'stalled') line.held.push({ to, bytes });
    else if (line.state === 'passing') to.write(bytes);
  }

  function dueAt(way: 'up' | 'down', bytes: Buffer): NetworkFault['does'] | undefined {
    let due: NetworkFault['does'] | undefined;
    for (const armed of faults) {
      const { fault } = armed;
      if (fault.way !== way || (fault.isOfCommits && !bytes.includes('COMMIT'))) continue;
      armed.seen += 1;
      if (armed.seen === fault.nth) due = fault.does;
    }
    return due;
  }

  /** What was written to either side still arrives. */
  function cut({ client, database }: Line): void {
    client.destroySoon();
    database.end();
  }

  return {
    url: await urlThrough(server, databaseUrl),
    arm(next: readonly NetworkFault[]) {
      faults = next.map((fault) => ({ fault, seen: 0 }));
    },
    /** Lets go what was held back. What fell silent stays so, but the database has noticed. */
    heal() {
      faults = [];
      toNew = 'passing';
      for (const line of lines) {
        if (line.state === 'silent') line.database.destroy();
        if (line.state !== 'stalled') continue;
        line.state = 'passing';
        for (const { to, bytes } of line.held.splice(0)) to.write(bytes);
        if (line.client.destroyed) line.database.end();
        if (line.database.destroyed) line.client.destroySoon();
      }
    },
    close() {
      for (const { client, database } of lines) {
        client.destroy();
        database.destroy();
      }
      server.close();
    },
  };
}

/** Opens a proxy on a free port; answers the database's URL by way of it. */
export async function urlThrough(server: Server, databaseUrl: string): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The proxy has no port.');
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(address.port);
  return url.href;
}
