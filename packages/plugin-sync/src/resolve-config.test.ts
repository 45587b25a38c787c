import { crdt, lastWriteWins, type SyncConfig } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { ObjectConfigs } from './object-configs.js';
import { resolveConfig } from './resolve-config.js';

function problemOf(config: object): string {
  try {
    // The cast hands in what JavaScript callers and metadata files hand in.
    resolveConfig(config as SyncConfig);
    return 'none';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test('fills in the defaults', () => {
  expect(resolveConfig({ enabled: true })).toEqual({
    isEnabled: true,
    strategy: lastWriteWins,
    direction: 'bidirectional',
    debounceMs: 1000,
    batchSize: 1000,
    conflictFields: undefined,
  });
});

test('names what is unknown or out of range', () => {
  const cases = [
    { enabled: true, batchsize: 5 },
    {},
    { enabled: true, strategy: 'lww' },
    { enabled: true, direction: 'both' },
    { enabled: true, debounce_ms: -1 },
    { enabled: true, batch_size: 0 },
    { enabled: true, conflict_fields: 'title' },
  ];
  expect(cases.map(problemOf)).toEqual([
    'config.batchsize is no option. Known: enabled, strategy, direction, debounce_ms, batch_size, conflict_fields.',
    'config.enabled is missing; it must be true or false.',
    'config.strategy must be one of last-write-wins, crdt, manual, or a function.',
    'config.direction must be one of bidirectional, push-only, pull-only.',
    'config.debounce_ms must be a duration from 0.',
    'config.batch_size must be a positive integer.',
    'config.conflict_fields must be a list.',
  ]);
});

test('gives each object its own configuration, filled up from the default', () => {
  const configs = new ObjectConfigs({
    defaultConfig: { enabled: true, debounce_ms: 5 },
    objects: new Map([['task', { enabled: true, strategy: 'crdt' as const }]]),
  });
  expect([configs.of('task').strategy, configs.of('task').debounceMs, configs.of('other').strategy]).toEqual([
    crdt,
    5,
    lastWriteWins,
  ]);
});

test('asks for the exceptions from what the default says', () => {
  const asked = (defaultConfig: SyncConfig | undefined, objects?: Record<string, SyncConfig>) =>
    new ObjectConfigs({ defaultConfig, objects }).wanted;
  const on: SyncConfig = { enabled: true };
  const pushOnly: SyncConfig = { enabled: true, direction: 'push-only' };
  expect({
    'nothing said': asked(undefined),
    'all pulled, one pushed': asked(on, { task: pushOnly }),
    'listed objects only': asked(undefined, { task: on, audit: pushOnly, note: { enabled: false } }),
    'all pushed': asked(pushOnly),
    'all pushed, one pulled': asked(pushOnly, { task: { enabled: true, direction: 'pull-only' } }),
  }).toEqual({
    'nothing said': {},
    'all pulled, one pushed': { except: ['task'] },
    'listed objects only': { objects: ['task'] },
    'all pushed': { pull: false },
    'all pushed, one pulled': { objects: ['task'] },
  });
});

test('names the object whose configuration is wrong', () => {
  // The cast hands in what a metadata file may hold.
  const objects = { task: { enabled: true, direction: 'sideways' } as unknown as SyncConfig };
  expect(() => new ObjectConfigs({ objects })).toThrow('objects.task.direction must be one of');
});
