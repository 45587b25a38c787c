/** Runs of actions that bring a local data engine to where single ones seldom do. */
import type { Action, Edit } from './plan.js';
import type { Random } from './random.js';

export interface Story {
  /** How many devices there are. */
  readonly devices: number;
  /** Whether this schedule restores the server. */
  readonly isRestored: boolean;
  /** Changes of records that are in use. */
  readonly edits: readonly Edit[];
  /** The first of 1,000 values that nobody else writes. */
  readonly value: number;
}

/** What happens to one device's engine while another device writes the same records. */
export function drawEngineStory(random: Random, { devices, isRestored, edits, value }: Story): readonly Action[] {
  const device = random.between(0, devices - 1);
  const other = (device + 1) % devices;
  const soon = () => random.between(500, 4000);
  const theirs = writing(edits, value);
  const mine = writing(edits, value + 500);
  const exchange: readonly Action[] = [
    { afterMs: soon(), do: 'sync', device: other },
    { afterMs: soon(), do: 'sync', device },
  ];
  const kinds = isRestored ? (['full', 'gone', 'restored', 'restored'] as const) : (['full', 'full', 'gone'] as const);
  const kind = random.pick<(typeof kinds)[number]>(kinds);
  switch (kind) {
    // What the server sends does not reach the engine at once, and no note leaves it, while its user writes.
    case 'full':
      return [
        { afterMs: 0, do: 'edit', device: other, edits: writing(edits, value + 250) },
        ...exchange,
        { afterMs: soon(), do: 'edit', device: other, edits: theirs },
        { afterMs: soon(), do: 'sync', device: other },
        { afterMs: 0, do: 'failCommits', device, forMs: 40_000, share: 0.7 + random.next() * 0.3 },
        { afterMs: soon(), do: 'sync', device },
        { afterMs: soon(), do: 'sync', device },
        { afterMs: random.between(500, 10_000), do: 'edit', device, edits: random.chance(0.3) ? gone(mine) : mine },
        { afterMs: soon(), do: 'sync', device },
        ...(random.chance(0.5) ? ([{ afterMs: 2 * soon(), do: 'crash', device }] as const) : []),
      ];
    // The client forgets records while nobody removes them from the engine.
    case 'gone':
      return [
        { afterMs: 0, do: 'endSync', device },
        { afterMs: 0, do: 'edit', device: other, edits: gone(theirs) },
        ...exchange,
      ];
    // A note waits while the server goes back, and others write the same versions anew; the storage may be lost, too.
    case 'restored':
      return [
        { afterMs: 0, do: 'endSync', device },
        { afterMs: 0, do: 'edit', device, edits: mine },
        { afterMs: 0, do: 'restore', share: random.next() },
        { afterMs: soon(), do: 'edit', device: other, edits: theirs },
        ...(random.chance(0.3) ? ([{ afterMs: 0, do: 'clear', device }] as const) : []),
        ...exchange,
      ];
  }
}

/** A parent with its children, which one device deletes while another one changes them. */
export function drawFamily(random: Random, { devices, value }: Pick<Story, 'devices' | 'value'>): readonly Action[] {
  const device = random.between(0, devices - 1);
  const other = (device + 1) % devices;
  const soon = () => random.between(500, 4000);
  const recordId = random.pick(['a', 'b', 'e']);
  const objectName = random.pick(['project', 'task'] as const);
  const child = objectName === 'project' ? 'task' : 'note';
  const common = { wish: 'update', isCommon: false, special: 'none', fields: ['title', 'status'] } as const;
  const edits: readonly Edit[] = [
    { ...common, objectName, recordId, value },
    ...['a', '1', 'e'].map(
      (id, index): Edit => ({ ...common, objectName: child, recordId: id, parent: recordId, value: value + 1 + index }),
    ),
  ];
  const again = edits.filter(() => random.chance(0.4)).map((edit) => ({ ...edit, value: edit.value + 100 }));
  const sync = (of: number): Action => ({ afterMs: soon(), do: 'sync', device: of });
  return [
    { afterMs: 0, do: 'edit', device: random.pick([device, other]), edits },
    sync(device),
    sync(other),
    sync(device),
    ...(again.length > 0
      ? ([{ afterMs: soon(), do: 'edit', device: random.pick([device, other]), edits: again }] as const)
      : []),
    { afterMs: random.between(0, 3000), do: 'edit', device, edits: gone(edits.slice(0, 1)) },
    sync(device),
    sync(other),
  ];
}

function gone(edits: readonly Edit[]): readonly Edit[] {
  return edits.map((edit) => ({ ...edit, wish: 'delete' }));
}

function writing(edits: readonly Edit[], value: number): readonly Edit[] {
  return edits.map((edit, index) => ({ ...edit, wish: 'update', value: value + index, isCommon: false }));
}
