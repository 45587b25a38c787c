/** Another device, which lives in the harness and so is never killed: its changes are what the first one applies. */
import { setTimeout } from 'node:timers/promises';
import type { SyncMutationResult, SyncPushResponse } from '@objectql/sync-types';

export interface Neighbour {
  /** Ends it once its last change is answered; answers the fields that were. */
  stop(): Promise<readonly string[]>;
}

/** 25 ms between two changes: each page brings the first device a few of them, again and again. */
const PAUSE_MS = 25;
/** 100 fields a record, of the 1,000 that one may have. */
const FIELDS = 100;

/** Writes one field of its own with each mutation, `n0`, `n1`, …, and sends it again until it is answered. */
export function startNeighbour(url: string): Neighbour {
  const confirmed: string[] = [];
  let isOver = false;
  const running = (async () => {
    for (let number = 0; !isOver; number++) {
      while (!isApplied(await push(url, number))) await setTimeout(PAUSE_MS);
      confirmed.push(`n${number}`);
      await setTimeout(PAUSE_MS);
    }
    return confirmed;
  })();
  return {
    stop() {
      isOver = true;
      return running;
    },
  };
}

async function push(url: string, number: number): Promise<SyncMutationResult | undefined> {
  const mutation = {
    id: `neighbour-${number}`,
    objectName: 'task',
    recordId: `n${Math.floor(number / FIELDS)}`,
    operation: number % FIELDS === 0 ? 'create' : 'update',
    data: { [`n${number}`]: true },
    timestamp: new Date().toISOString(),
    clientId: 'neighbour',
    sequence: number + 1,
    baseVersion: null,
  };
  const request = { clientId: 'neighbour', logId: 'log-of-neighbour', protocol: 2, lastCheckpoint: null, pull: false };
  try {
    const answer = await fetch(`${url}/push`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...request, mutations: [mutation] }),
    });
    return ((await answer.json()) as SyncPushResponse).results?.[0];
  } catch {
    // The server is dead; the next one will answer.
    return undefined;
  }
}

/** False where another try may help; throws for an outcome that this device must never see. */
function isApplied(result: SyncMutationResult | undefined): boolean {
  if (result?.status === 'applied') return true;
  if (!result || (result.status === 'rejected' && result.retryable)) return false;
  throw new Error(`The neighbour's change was answered ${JSON.stringify(result)}.`);
}
