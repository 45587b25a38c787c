/** ObjectStack as it is installed here. */
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import { ObjectQLPlugin } from '@objectstack/objectql';
import { AuthPlugin } from '@objectstack/plugin-auth';
import { HonoServerPlugin } from '@objectstack/plugin-hono-server';
import { SecurityPlugin } from '@objectstack/plugin-security';
import { createRestApiPlugin, DriverPlugin, ObjectKernel } from '@objectstack/runtime';
import type { ObjectStack } from './platform.js';

const packages = {
  ObjectKernel,
  DriverPlugin,
  SqliteWasmDriver,
  ObjectQLPlugin,
  HonoServerPlugin,
  AuthPlugin,
  SecurityPlugin,
  createRestApiPlugin,
};

// A cast: the packages take and give more than is used here.
export const objectStack = packages as unknown as ObjectStack;
