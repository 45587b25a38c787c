/** A sync server for tests: real HTTP on a real SQLite file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createSyncEndpoint,
  type RecordResolver,
  SqliteStore,
  SyncHandler,
  type SyncHandlerOptions,
  storeResolver,
} from '@objectql/protocol-sync';
import { toNodeHandler } from '@objectql/protocol-sync/node';
import type { SyncPullRequest, SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import Database from 'libsql';

export interface SyncServerOptions extends Omit<SyncHandlerOptions, 'store'> {
  readonly resolver?: RecordResolver;
  /** The SQLite file; a fresh one by default. Two servers may share one. */
  readonly file?: string;
}

/** A folder that is gone after the test file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'objectql-sync-test-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export class SyncServer implements AsyncDisposable {
  readonly file: string;
  readonly handler: SyncHandler;
  readonly database: Database.Database;
  readonly #server: Server;

  private constructor(parts: { file: string; handler: SyncHandler; database: Database.Database; server: Server }) {
    this.file = parts.file;
    this.handler = parts.handler;
    this.database = parts.database;
    this.#server = parts.server;
  }

  static async start(options: SyncServerOptions = {}): Promise<SyncServer> {
    const { resolver = storeResolver, file = join(temporaryFolder(), 'server.sqlite'), ...handlerOptions } = options;
    const database = new Database(file);
    const handler = new SyncHandler({ ...handlerOptions, store: new SqliteStore(database) });
    const endpoint = createSyncEndpoint({ handler, resolver });
    const server = createServer(toNodeHandler(endpoint));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new SyncServer({ file, handler, database, server });
  }

  /** The endpoint without `/push`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/sync`;
  }

  push(request: Partial<SyncPushRequest>): Promise<SyncPushResponse> {
    return this.#post('push', { clientId: 'c', lastCheckpoint: null, mutations: [], protocol: 2, ...request });
  }

  pull(request: Partial<SyncPullRequest>): Promise<SyncPushResponse> {
    return this.#post('pull', { clientId: 'reader', lastCheckpoint: null, protocol: 2, ...request });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.handler.close();
    this.database.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #post(action: string, body: unknown): Promise<SyncPushResponse> {
    const response = await fetch(`${this.url}/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(answer)}`);
    return answer as SyncPushResponse;
  }
}
