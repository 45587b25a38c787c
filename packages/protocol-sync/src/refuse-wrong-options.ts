/**
 * An option that nobody reads is a mistake, and better found at once: a misspelt `authorize` would let everybody in. So
 * is a value of the wrong type, which plain JavaScript can pass: it would fail at the first request or write.
 */

/** How to recognize a valid value of an option, and what to tell the caller to pass. */
export type OptionKind = { readonly expected: string; readonly isRequired?: boolean } & (
  | {
      /** It has these methods; `call` means that it must be a function. */
      readonly methods: readonly string[];
    }
  | {
      /** It is a number of at least this. `NaN`, as from a setting that was not found, would limit nothing. */
      readonly least: number;
    }
  | {
      /** It is true or false. */
      readonly isFlag: true;
    }
);

/** A `RecordResolver`. */
export const RESOLVER_KIND: OptionKind = {
  methods: ['getRecord', 'applyMutation'],
  expected: 'an object with getRecord and applyMutation',
};
export const FUNCTION_KIND: OptionKind = { methods: ['call'], expected: 'a function' };
export const FLAG_KIND: OptionKind = { isFlag: true, expected: 'true or false' };
export const COUNT_KIND: OptionKind = { least: Number.MIN_VALUE, expected: 'a positive number' };
export const DURATION_KIND: OptionKind = { least: 0, expected: 'a number of milliseconds' };

/**
 * Exactly the options of a type: the compiler demands each. `true` for one that is checked elsewhere or needs no check.
 */
export type OptionKinds<Options> = Readonly<Record<keyof Options, true | OptionKind>>;

/** Throws `TypeError` naming the first of `options` that is unknown or of a wrong type; `owner` is what takes them. */
export function refuseWrongOptions<Options extends object>(
  options: Options,
  kinds: OptionKinds<Options>,
  owner: string,
): void {
  // Without any options, the required ones are reported as missing.
  const given: object = Object(options);
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(kinds, name));
  if (unknown) throw new TypeError(`${owner}${unknown} is unknown. Known: ${Object.keys(kinds).join(', ')}.`);
  for (const [name, kind] of Object.entries<true | OptionKind>(kinds)) {
    if (kind === true || isOfKind(Reflect.get(given, name), kind)) continue;
    throw new TypeError(`${owner}${name} must be ${kind.expected}.`);
  }
}

function isOfKind(value: unknown, kind: OptionKind): boolean {
  if (value === undefined || value === null) return kind.isRequired !== true;
  if ('methods' in kind) return hasMethods(value, kind.methods);
  return 'isFlag' in kind ? typeof value === 'boolean' : typeof value === 'number' && value >= kind.least;
}

/** Whether a value of any type has all these methods. */
export function hasMethods(value: unknown, methods: readonly string[]): boolean {
  // A value without properties has no methods either.
  const object = Object(value) as Readonly<Record<string, unknown>>;
  return methods.every((method) => typeof object[method] === 'function');
}
