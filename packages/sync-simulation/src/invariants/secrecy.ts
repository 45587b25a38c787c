/** I12: nothing that the caller may not read leaves the server. */
import type { Permissions } from '../permissions.js';
import type { ServerTruth } from '../server-truth.js';

/** Unique values name the user who wrote them, so that they are recognized wherever they appear: `u1:17`. */
const UNIQUE = /^u\d+:\d+$/;

export interface Disclosure {
  readonly answer: unknown;
  readonly request: unknown;
  readonly user: string;
  /** True for a value that the user could have read at some moment since the request came in. */
  readonly wasReadable: (name: string, value: string) => boolean;
}

/** The first value in the answer that the user may not read and did not send. */
export function findLeak(
  { answer, request, user, wasReadable }: Disclosure,
  truth: Pick<ServerTruth, 'records'>,
  permissions: Pick<Permissions, 'viewOf'>,
): string | undefined {
  let texts: readonly [string, string] | undefined;
  for (const [name, { objectName, data }] of truth.records) {
    const view = data && permissions.viewOf(user, objectName, data);
    // Most records are shown whole, and are then not copied.
    if (data === null || view === data) continue;
    texts ??= [JSON.stringify(answer), JSON.stringify(request)];
    for (const [field, value] of Object.entries(data)) {
      // One edit writes the same value into all of its fields: a reader of one of them may know it.
      if (view && (Object.hasOwn(view, field) || Object.values(view).includes(value))) continue;
      if (typeof value !== 'string' || !UNIQUE.test(value) || value.startsWith(`${user}:`)) continue;
      const quoted = `"${value}"`;
      if (!texts[0].includes(quoted) || texts[1].includes(quoted) || wasReadable(name, value)) continue;
      return `${user} was shown ${value} in ${field} of ${name}.`;
    }
  }
  return undefined;
}
