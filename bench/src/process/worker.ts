/** One case in a process of its own, so that no case inherits another's heap or warmed-up code. Its argument is a `Case`. */
import type { Case, Measured, WorkloadId } from '../case.js';
import { catchUp } from '../workloads/catch-up.js';
import { engine } from '../workloads/engine.js';
import { fanIn } from '../workloads/fan-in.js';
import { firstSync } from '../workloads/first-sync.js';
import { live } from '../workloads/live.js';
import { log } from '../workloads/log.js';
import { merge } from '../workloads/merge.js';
import { push } from '../workloads/push.js';
import { serverPush } from '../workloads/server-push.js';

export type WorkerReply = { readonly measured: Measured } | { readonly error: string };

const RUN: Readonly<Record<WorkloadId, (asked: Case) => Promise<Measured>>> = {
  W1: push,
  W1s: serverPush,
  W2: fanIn,
  W3: firstSync,
  W4: log,
  W5: catchUp,
  W6: merge,
  W7: live,
  W8: engine,
};

const asked = JSON.parse(process.argv[2] ?? '{}') as Case;
const reply = (message: WorkerReply) => process.send?.(message, () => process.exit(0));
try {
  reply({ measured: await RUN[asked.workload](asked) });
} catch (error) {
  reply({ error: String(error instanceof Error ? `${error.stack}\n${error.cause ?? ''}` : error) });
}
