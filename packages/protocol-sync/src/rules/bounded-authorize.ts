/** Asks an application's rules without trusting that they answer. */

import { inTime, type TimeBound } from '../platform/in-time.js';
import { andThen } from '../push/and-then.js';
import { type OptionKinds, refuseWrongOptions } from '../refuse-wrong-options.js';
import type { Authorize } from './authorize.js';

const RULES: OptionKinds<Authorize> = { read: true, write: true, scope: true };

/**
 * The same rules, but each throws when it takes longer than `timeoutMs`. Rules are asked inside the store's
 * transaction: one that waits for ever would keep its record from everybody, and on SQLite the whole store. The answers
 * are checked: a `false` taken for a permission would show the record, a `'deny'` taken for a yes would write it, and
 * nobody could tell that a `Set` has changed. Throws `TypeError` for rules that would never be asked, such as a
 * misspelt one, because a missing rule allows everything.
 */
export function boundAuthorize(authorize: Authorize, bound: TimeBound): Authorize {
  const { read, write, scope } = authorize;
  // Rules that are a class may have other members.
  if (Object.getPrototypeOf(authorize) === Object.prototype) refuseWrongOptions(authorize, RULES, 'authorize.');
  else if (!read && !write && !scope) throw new TypeError('authorize has none of the rules read, write and scope.');
  return {
    ...(read ? { read: (question) => checked('read', read.call(authorize, question), bound) } : {}),
    ...(write ? { write: (question) => checked('write', write.call(authorize, question), bound) } : {}),
    ...(scope ? { scope: (principal) => checked('scope', scope.call(authorize, principal), bound) } : {}),
  };
}

function checked<T>(rule: keyof Authorize, answer: T | Promise<T>, bound: TimeBound): T | Promise<T> {
  const { isOne, expected } = ANSWERS[rule];
  return andThen(ruleInTime(rule, answer, bound), (given) => {
    if (isOne(given)) return given;
    throw new TypeError(`authorize.${rule} answered ${JSON.stringify(given)}. It must answer ${expected}.`);
  });
}

interface AnswerKind {
  readonly isOne: (answer: unknown) => boolean;
  readonly expected: string;
}

const ANSWERS: Readonly<Record<keyof Authorize, AnswerKind>> = {
  read: { isOne: isPermission, expected: "'allow', 'hide', 'forget' or { without: [...] }" },
  write: { isOne: (answer) => typeof answer === 'boolean', expected: 'true or false' },
  scope: { isOne: (answer) => typeof answer === 'string', expected: 'a text' },
};

function ruleInTime<T>(rule: keyof Authorize, answer: T | Promise<T>, bound: TimeBound): T | Promise<T> {
  // Most rules answer at once and need no timer.
  if (typeof answer !== 'object' || answer === null || !('then' in answer)) return answer;
  const giveUp = () => new Error(`authorize.${rule} did not answer within ${bound.timeoutMs} ms.`);
  return inTime(Promise.resolve(answer), bound, giveUp);
}

function isPermission(answer: unknown): boolean {
  if (answer === 'allow' || answer === 'hide' || answer === 'forget') return true;
  return Array.isArray((Object(answer) as { readonly without?: unknown }).without);
}
