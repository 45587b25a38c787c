/** What an application hands in to record a change, checked and copied. */
import { type JsonObject, MAX_RECORD_BYTES, type MutationOperation, type RecordRef } from '@objectql/sync-types';
import { SyncUsageError } from '../sync-usage-error.js';
import { operation } from '../transport/parse-result.js';
import {
  identifier,
  optional,
  parseOr,
  recordDataWithin,
  recordId,
  shape,
  version,
  WireProblem,
} from '../transport/wire-parser.js';

/** A change to record. */
export interface NewMutation extends RecordRef {
  readonly operation: MutationOperation;
  /** `create`: the whole record. `update`: the changed fields. `delete`: nothing. Plain JSON only. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** The record's version the user saw; `null` for a record that is new or whose version is unknown. */
  readonly baseVersion: number | null;
}

/** A mutation that can be stored and sent; nobody may change its data. */
export type CheckedMutation = NewMutation & { readonly data?: JsonObject | undefined };

/** A frozen copy of what the application handed in. Throws `SyncUsageError` that names what cannot be stored. */
export function checkNewMutation(input: NewMutation): CheckedMutation {
  return parseOr(
    () => {
      const checked: CheckedMutation = parseNewMutation(input);
      if (checked.data && checked.operation === 'delete') throw new WireProblem('is a delete and carries data');
      return checked;
    },
    ({ path, message }) =>
      new SyncUsageError('INVALID_MUTATION', `The mutation was not recorded: ${path.slice(1) || 'it'} ${message}.`),
  );
}

const parseNewMutation = shape({
  objectName: identifier,
  recordId,
  operation,
  data: optional(recordDataWithin(MAX_RECORD_BYTES)),
  baseVersion: version,
});
