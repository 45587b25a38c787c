/** One measurement: a workload of one size, done by one contestant. Plain data, because it goes to a process of its own. */
import type { StoreKind } from './process/bench-server.js';
import type { StorageKind } from './process/device.js';
import type { Used } from './process/meter.js';

export const WORKLOADS = {
  W1: 'push: that many creates and as many updates of one field, made offline, then sent',
  W1s: 'push, server side alone: the same mutations given to the handler, without HTTP and client',
  W2: 'fan-in: ten devices edit shared records offline, then sync until all replicas are equal',
  W3: 'first sync: an empty device receives that many records',
  W4: 'log: append that many mutations, then acknowledge them 50 at a time',
  W5: 'catch-up: a device ten changes behind a server of that many records',
  W6: 'merge: that many fields of remote writes merged by last-write-wins',
  W7: 'live: one edit on one device until it shows on another',
  W8: "ObjectStack's engine: that many creates and as many updates of one field, 1,000 at a time",
} as const;
export type WorkloadId = keyof typeof WORKLOADS;
export const WORKLOAD_IDS = Object.keys(WORKLOADS) as readonly WorkloadId[];

/** Ours: a device's storage and a server's store. */
export interface Ours {
  readonly storage: StorageKind;
  readonly store: StoreKind;
}

/** The least that does the same work on this machine; ratios are against the first one a workload has. */
export const YARDSTICKS = ['floor', 'raw-json', 'raw-sqlite', 'raw-postgres', 'raw-engine'] as const;
export type Yardstick = (typeof YARDSTICKS)[number];
export const VARIANTS = ['memory', 'sqlite', 'postgres'] as const;
export type Variant = (typeof VARIANTS)[number];
/** An application on ObjectStack's engine with sync: what it writes itself, and what devices push. */
export const APPLICATIONS = ['engine', 'engine-push'] as const;
export const CONTESTANTS = [...YARDSTICKS, ...VARIANTS, ...APPLICATIONS] as const;
export type Contestant = (typeof CONTESTANTS)[number];

export interface Case {
  readonly workload: WorkloadId;
  readonly contestant: Contestant;
  /** What the workload counts: mutations, records or fields. */
  readonly size: number;
  /** Mutations in one push; the library's defaults when absent. */
  readonly batch?: number;
  /** Set where the contestant needs it. */
  readonly postgresUrl?: string;
}

export interface Measured {
  readonly ops: number;
  /** Milliseconds of it all; the median of one round where a workload has rounds. */
  readonly ms: number;
  /** What it is made of, each named with its unit: `appendUs`, `localMs`. */
  readonly parts?: Readonly<Record<string, number>>;
  readonly used?: Used;
  /** The result was looked at afterwards and is right. */
  readonly isVerified: boolean;
}

/** The same for two cases that are the same but for the contestant. */
export function caseKey({ workload, size, batch }: Case): string {
  return `${workload} ${size}${batch === undefined ? '' : ` batch ${batch}`}`;
}

/** What a variant is made of. Durable variants have a file on the device, synced at every commit. */
export function oursOf({ contestant, postgresUrl }: Case): Ours {
  switch (contestant) {
    case 'memory':
      return { storage: 'memory', store: { type: 'memory' } };
    case 'sqlite':
      return { storage: 'file', store: { type: 'sqlite' } };
    case 'postgres':
      if (postgresUrl === undefined) throw new Error('This case needs a PostgreSQL server.');
      return { storage: 'file', store: { type: 'postgres', url: postgresUrl } };
    default:
      throw new Error(`${contestant} is not a device and a server.`);
  }
}

export function isYardstick(contestant: Contestant): contestant is Yardstick {
  return YARDSTICKS.some((yardstick) => yardstick === contestant);
}
