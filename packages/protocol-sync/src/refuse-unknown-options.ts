/** An option that nobody reads is a mistake, and better found at once: a misspelt `authorize` would let everybody in. */

/** Every option of a type, and no other: the compiler demands each. */
export type OptionNames<Options> = Readonly<Record<keyof Options, true>>;

/** Throws `TypeError` naming the first of `options` that is none of the known ones; `owner` is who was given them. */
export function refuseUnknownOptions<Options extends object>(
  options: Options,
  known: OptionNames<Options>,
  owner: string,
): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown) throw new TypeError(`${owner}${unknown} is unknown. Known: ${Object.keys(known).join(', ')}.`);
}
