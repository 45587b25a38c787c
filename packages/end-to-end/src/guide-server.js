/** The server of the users' guide, section 3, word for word, and the application around it. */
import { SyncProtocolPlugin } from '@objectql/protocol-sync';
import { createKernel } from '@objectql/protocol-sync/kernel';
import express from 'express';
import { afterEach, vi } from 'vitest';

export const cleanUps = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** The application's own database, as the guide's resolver uses it. */
function createDb() {
  const tables = new Map();
  const table = (name) => tables.get(name) ?? tables.set(name, new Map()).get(name);
  return {
    find: async (name, id) => table(name).get(id),
    create: async (name, record) => void table(name).set(record._id, record),
    update: async (name, id, fields) => void table(name).set(id, { ...table(name).get(id), ...fields }),
    delete: async (name, id) => void table(name).delete(id),
  };
}

/** Section 3's server, listening; `fetch` finds it under every host. */
export async function startGuideServer() {
  const db = createDb();
  const app = express();
  app.use(express.json());
  const requests = [];
  app.use((req, _res, next) => {
    requests.push({ url: req.url, authorization: req.headers.authorization });
    next();
  });

  const kernel = createKernel({
    plugins: [
      new SyncProtocolPlugin({
        endpoint: {
          enabled: true,
          path: '/api/sync',
          maxMutationsPerRequest: 100,
          changeLogRetentionDays: 30,
        },
        conflictFields: new Map([
          ['task', ['title', 'status', 'assignee']],
          ['project', ['name', 'budget']],
        ]),
      }),
    ],
  });

  await kernel.start();

  const resolver = {
    async getRecord(objectName, recordId) {
      return db.find(objectName, recordId);
    },
    async applyMutation(mutation, serverVersion) {
      if (mutation.operation === 'create') {
        await db.create(mutation.objectName, {
          ...mutation.data,
          _id: mutation.recordId,
          _version: serverVersion,
        });
      } else if (mutation.operation === 'update') {
        await db.update(mutation.objectName, mutation.recordId, {
          ...mutation.data,
          _version: serverVersion,
        });
      } else if (mutation.operation === 'delete') {
        await db.delete(mutation.objectName, mutation.recordId);
      }
    },
  };

  // In your route handler:
  app.post('/api/sync/push', async (req, res) => {
    const handler = kernel.syncProtocol.handler;
    const response = await handler.handlePush(req.body, resolver);
    res.json(response);
  });
  // Section 7 calls the same server under another path.
  app.post('/sync/push', async (req, res) => {
    res.json(await kernel.syncProtocol.handler.handlePush(req.body, resolver));
  });

  const server = await new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  const { fetch: realFetch } = globalThis;
  vi.stubGlobal('fetch', (url, init) => {
    const { pathname } = new URL(url, 'http://localhost');
    return realFetch(`http://127.0.0.1:${server.address().port}${pathname}`, init);
  });
  cleanUps.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await kernel.shutdown();
  });
  return { db, kernel, requests, resolver };
}
