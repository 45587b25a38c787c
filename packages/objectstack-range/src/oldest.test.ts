import { describeAtHome, type ObjectStack } from '@objectql/sync-end-to-end/objectstack';
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import { ObjectQLPlugin } from '@objectstack/objectql';
import { AuthPlugin } from '@objectstack/plugin-auth';
import { HonoServerPlugin } from '@objectstack/plugin-hono-server';
import { SecurityPlugin } from '@objectstack/plugin-security';
import { createRestApiPlugin, DriverPlugin, ObjectKernel } from '@objectstack/runtime';

const objectStack = {
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
describeAtHome('17.0', async () => objectStack as unknown as ObjectStack);
