/** Which steps bring a stored schema up to date, for every store that has one. */

/** The stored data was written by a later release: nothing is read or changed. */
export class NewerSchemaError extends Error {
  override readonly name = 'NewerSchemaError';

  constructor(found: number, known: number) {
    super(
      `The sync store's schema is version ${found}, and this release knows versions up to ${known}. ` +
        'Upgrade @objectql/protocol-sync on this server, or use another database.',
    );
  }
}

/** The steps that version `found` still lacks: step n brings the schema from version n to n + 1. */
export function stepsFrom(found: number, steps: readonly string[]): readonly string[] {
  if (found > steps.length) throw new NewerSchemaError(found, steps.length);
  return steps.slice(found);
}
