/** An application's rules, asked without trusting that they ever answer. */

import { inTime, type TimeBound } from '../platform/in-time.js';
import { andThen } from '../push/and-then.js';
import { type OptionKinds, refuseWrongOptions } from '../refuse-wrong-options.js';
import type { Authorize, ReadPermission } from './authorize.js';

const RULES: OptionKinds<Authorize> = { read: true, write: true, scope: true };

/**
 * The same rules, each of which throws when it takes longer than `timeoutMs`. Rules are asked inside the store's transaction:
 * one that waits for ever would keep its record from everybody, and on SQLite the whole store. What `read` answers must be a
 * permission: taken for one, a `false` would show the record. Throws `TypeError` for rules that nobody would ask, because what is
 * left out is allowed.
 */
export function boundAuthorize(authorize: Authorize, bound: TimeBound): Authorize {
  const { read, write, scope } = authorize;
  // The rules of a class may keep what they like beside them.
  if (Object.getPrototypeOf(authorize) === Object.prototype) refuseWrongOptions(authorize, RULES, 'authorize.');
  else if (!read && !write && !scope) throw new TypeError('authorize has none of the rules read, write and scope.');
  return {
    ...(read
      ? { read: (question) => andThen(ruleInTime('read', read.call(authorize, question), bound), checkPermission) }
      : {}),
    ...(write ? { write: (question) => ruleInTime('write', write.call(authorize, question), bound) } : {}),
    ...(scope ? { scope: (principal) => ruleInTime('scope', scope.call(authorize, principal), bound) } : {}),
  };
}

function ruleInTime<T>(rule: keyof Authorize, answer: T | Promise<T>, bound: TimeBound): T | Promise<T> {
  // Most rules answer at once, and then need no timer.
  if (typeof answer !== 'object' || answer === null || !('then' in answer)) return answer;
  const giveUp = () => new Error(`authorize.${rule} did not answer within ${bound.timeoutMs} ms.`);
  return inTime(Promise.resolve(answer), bound, giveUp);
}

function checkPermission(permission: ReadPermission): ReadPermission {
  if (isPermission(permission)) return permission;
  const known = "'allow', 'hide', 'forget' or { without: [...] }";
  throw new TypeError(`authorize.read answered ${JSON.stringify(permission)}. It must answer ${known}.`);
}

function isPermission(answer: unknown): boolean {
  if (answer === 'allow' || answer === 'hide' || answer === 'forget') return true;
  return Array.isArray((Object(answer) as { readonly without?: unknown }).without);
}
