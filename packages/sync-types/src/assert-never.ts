/**
 * Ends a `switch` over a union: it does not compile while a member is unhandled, and names an unknown one at run time.
 */
export function assertNever(value: never): never {
  throw new TypeError(`Unhandled case ${JSON.stringify(value)}. A newer peer may have sent it: update this package.`);
}
