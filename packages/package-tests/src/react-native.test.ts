/** The client in React Native as the page on browsers sets it up: in a context that has nothing but what apps have there. */
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { toNodeHandler } from '@objectql/protocol-sync/node';
import { build, type PluginBuild } from 'esbuild';
import Database from 'libsql';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { ReasonlessAbortController } from '../../plugin-sync/src/transport/reasonless-abort.fixture.js';
import { endpointOn } from '../fixtures/runtimes/endpoint.js';
import { programInDocs } from './program-in-docs.js';
import { userProject } from './user-project.js';

const project = await userProject();
let app = '';

beforeAll(async () => {
  await writeFile(join(project.folder, 'page.ts'), await programInDocs('docs/browser.md', "'react-native'"));
  const { outputFiles } = await build({
    absWorkingDir: project.folder,
    entryPoints: ['react-native.ts'],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'app',
    target: 'es2022',
    conditions: ['react-native'],
    mainFields: ['react-native', 'browser', 'main'],
    plugins: [{ name: 'modules', setup: defineModules }],
  });
  app = outputFiles[0]?.text ?? '';
});

test.each([
  ['can be read while they come, as in Expo', true],
  ['come whole', false],
])('devices sync where answers %s', async (_, hasStreams) => {
  const server = createServer(toNodeHandler(endpointOn()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/sync`;
  const folder = join(project.folder, `react-native-${hasStreams}`);
  await mkdir(folder);
  const context = createContext({
    ...GLOBALS,
    ...(hasStreams ? { fetch: streamed, TextDecoder } : { fetch: whole }),
    openDatabaseSync: (fileName: string) => openDatabase(join(folder, fileName)),
  });
  runInContext(WITHOUT_NEWER, context);
  const seen = await runInContext(`${app} app.run(${JSON.stringify({ url, hasStreams })})`, context);
  expect(seen).toEqual({ received: 300, live: 'seen', inConflict: ['Paint it red'], decided: 'Paint it red' });
});

/** What the page imports that is not installed: its exports are globals of the context. */
const MODULES: Readonly<Record<string, string>> = {
  'react-native-get-random-values': '',
  'expo-sqlite': 'export const { openDatabaseSync } = globalThis;',
  'react-native': 'export const { AppState } = globalThis;',
};

function defineModules({ onResolve, onLoad }: PluginBuild): void {
  onResolve({ filter: /^(expo|react-native)/ }, ({ path }) => ({ path, namespace: 'app' }));
  onLoad({ filter: /./, namespace: 'app' }, ({ path }) => ({ contents: MODULES[path] ?? '' }));
}

/** SQLite by the calls of `expo-sqlite`. */
function openDatabase(path: string) {
  const database = new Database(path);
  return {
    execSync: (sql: string) => void database.exec(sql),
    prepareSync(sql: string) {
      const statement = database.prepare(sql);
      const execute = (values: (string | number)[]) => {
        if (statement.reader) return statement.all(...values);
        statement.run(...values);
        return [];
      };
      return {
        executeSync(values: (string | number)[]) {
          const rows = execute(values);
          return { getAllSync: () => rows };
        },
      };
    },
  };
}

type Send = (url: string, init: RequestInit & { readonly signal: AbortSignal }) => Promise<Response>;

/** Node's own `fetch` takes no signal but its own. */
const streamed: Send = (url, { signal, ...init }) => {
  const controller = new AbortController();
  signal.addEventListener('abort', () => controller.abort());
  return fetch(url, { ...init, signal: controller.signal });
};

/** React Native's own resolves when all of the answer has come, and has no `body`. */
const whole = async (...call: Parameters<Send>) => {
  const response = await streamed(...call);
  const text = await response.text();
  return { ok: response.ok, status: response.status, headers: response.headers, text: async () => text };
};

/** What React Native defines of all that the client may look for, and `crypto`, which the app adds. */
const GLOBALS = {
  setTimeout,
  clearTimeout,
  Headers,
  AbortController: ReasonlessAbortController,
  AppState: { currentState: 'active', addEventListener: () => ({ remove: () => {} }) },
  navigator: { product: 'ReactNative' },
  crypto: { getRandomValues: (numbers: Uint32Array) => crypto.getRandomValues(numbers) },
};

/** Takes away what the Hermes of React Native 0.70 has not got. What it lacks of the language itself, Babel writes otherwise. */
const WITHOUT_NEWER = `
for (const name of ['AggregateError', 'Atomics', 'FinalizationRegistry', 'Intl', 'Iterator', 'SharedArrayBuffer', 'WebAssembly'])
  delete globalThis[name];
for (const name of ['allSettled', 'any', 'try', 'withResolvers']) delete Promise[name];
for (const name of ['at', 'toReversed', 'toSorted', 'toSpliced', 'with']) delete Array.prototype[name];
for (const name of ['at', 'isWellFormed', 'toWellFormed']) delete String.prototype[name];
`;
