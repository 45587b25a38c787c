/** Ids with which the data engine cannot find a record. */

/**
 * Whether the engine takes an id in a filter for a placeholder, as in `{current_user_id}`, and so asks for another
 * record, or refuses to ask at all. No record is ever found by such an id, nor by
 * `{3F2504E0-4F89-11D3-9A0C-0305E82C3301}`.
 */
export function isPlaceholderId(id: unknown): boolean {
  return typeof id === 'string' && PLACEHOLDER.test(id);
}

/** The engine's own pattern; there is no way to pass the same text literally. */
const PLACEHOLDER = /^\$?\{[^{}]+\}$/;
