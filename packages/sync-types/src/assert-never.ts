/** Ends a `switch` over a union: the compiler refuses it while a member is unhandled, and at run time it names the stranger. */
export function assertNever(value: never): never {
  throw new TypeError(`Unhandled case ${JSON.stringify(value)}. A newer peer may have sent it: update this package.`);
}
