// Our client for the harness, durable on both ends: a file on the device, PostgreSQL on the server.
import { contestant } from './objectql-sync.mjs';

export const { name, meta, workloads, setup, run, teardown } = contestant({ storage: 'file', store: 'postgres' });
