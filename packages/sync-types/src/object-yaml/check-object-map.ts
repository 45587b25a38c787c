/** Checks an object's metadata key by key, so that each problem knows its place in the text. */
import { type Document, isMap, isNode, type YAMLMap } from 'yaml';
import type { z } from 'zod';
import { identifierSchema } from '../identifier.js';
import { MAX_ID_BYTES } from '../limits.js';
import type { SyncConfig } from '../sync-config.js';
import { closestName } from './closest-name.js';
import { syncBlockSchema } from './sync-block.js';
import { findPair, keyOffset, keyText, offsetOf } from './yaml-place.js';

/** A problem and its offset in the text. */
export interface Finding {
  readonly offset: number;
  readonly key: string;
  readonly problem: string;
}

/** What the metadata says. If there are findings, `objectName` may be empty and `sync` is disabled. */
export interface CheckedObject {
  readonly objectName: string;
  readonly nameOffset: number;
  readonly sync: SyncConfig;
  /** From top to bottom. */
  readonly findings: readonly Finding[];
}

/** The keys of an object's metadata that are read; every other key passes unread. */
interface OurValues {
  readonly name: unknown;
  readonly sync: unknown;
  readonly fields: unknown;
}

type Checked<Value> = readonly [value: Value, findings: readonly Finding[]];

const DISABLED: SyncConfig = { enabled: false };

export function checkObjectMap(map: YAMLMap, document: Document): CheckedObject {
  const [values, unreadable] = readValues(map, document);
  const duplicates = findDuplicates(map, '').filter(({ key }) => key in values);
  const [objectName, nameFindings] = checkName(map, values.name);
  const [sync, syncFindings] = checkSync(map, values);
  const findings = unreadable.length > 0 ? unreadable : [...duplicates, ...nameFindings, ...syncFindings];
  return {
    objectName,
    nameOffset: offsetOf(map, ['name']),
    sync: findings.length > 0 ? DISABLED : sync,
    findings: findings.toSorted((a, b) => a.offset - b.offset),
  };
}

function readValues(map: YAMLMap, document: Document): Checked<OurValues> {
  const findings: Finding[] = [];
  const read = (key: keyof OurValues): unknown => {
    const node = findPair(map, key)?.value;
    try {
      return isNode(node) ? node.toJS(document) : undefined;
    } catch (cause) {
      // An alias without an anchor, or one that expands beyond measure.
      findings.push({
        offset: offsetOf(map, [key]),
        key,
        problem: cause instanceof Error ? cause.message : `${cause}`,
      });
      return undefined;
    }
  };
  return [{ name: read('name'), sync: read('sync'), fields: read('fields') }, findings];
}

function checkName(map: YAMLMap, name: unknown): Checked<string> {
  const parsed = identifierSchema.safeParse(name);
  if (parsed.success) return [parsed.data, []];
  const problem = findPair(map, 'name')
    ? `must name the object with a text of 1 to ${MAX_ID_BYTES} bytes`
    : 'is missing; give the object its name';
  return ['', [{ offset: offsetOf(map, ['name']), key: 'name', problem }]];
}

function checkSync(map: YAMLMap, { sync, fields }: OurValues): Checked<SyncConfig> {
  const pair = findPair(map, 'sync');
  if (!pair) return [DISABLED, []];
  const duplicates = isMap(pair.value) ? findDuplicates(pair.value, 'sync.') : [];
  const parsed = syncBlockSchema.safeParse(sync);
  if (!parsed.success)
    return [DISABLED, [...duplicates, ...parsed.error.issues.flatMap((issue) => explain(map, issue))]];
  return [parsed.data, [...duplicates, ...checkConflictFields(map, parsed.data.conflict_fields ?? [], fields)]];
}

/** Checks only if the metadata declares its fields, as a mapping; they may also be declared elsewhere. */
function checkConflictFields(map: YAMLMap, conflictFields: readonly string[], fields: unknown): readonly Finding[] {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return [];
  return conflictFields.flatMap((field, index) => {
    if (Object.hasOwn(fields, field)) return [];
    const problem = `${field} is not declared in fields${didYouMean(field, Object.keys(fields))}`;
    return [
      { offset: offsetOf(map, ['sync', 'conflict_fields', index]), key: `sync.conflict_fields[${index}]`, problem },
    ];
  });
}

function findDuplicates(map: YAMLMap, prefix: string): readonly Finding[] {
  const seen = new Set<string>();
  return map.items.flatMap((pair) => {
    const key = keyText(pair);
    if (key === undefined || !seen.has(key)) {
      if (key !== undefined) seen.add(key);
      return [];
    }
    return [{ offset: keyOffset(pair), key: prefix + key, problem: 'stands here a second time; keep one' }];
  });
}

function explain(map: YAMLMap, issue: z.core.$ZodIssue): readonly Finding[] {
  const path = ['sync', ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(syncBlockSchema.shape);
    return issue.keys.map((key) => ({
      offset: offsetOf(map, [...path, key]),
      key: showPath([...path, key]),
      problem: `unknown key${didYouMean(key, known) || `; known are ${known.join(', ')}`}`,
    }));
  }
  return [{ offset: offsetOf(map, path), key: showPath(path), problem: issue.message }];
}

function didYouMean(written: string, names: readonly string[]): string {
  const meant = closestName(written, names);
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}

/** `['sync', 'conflict_fields', 1]` is `sync.conflict_fields[1]`. */
function showPath([first, ...rest]: readonly PropertyKey[]): string {
  return String(first) + rest.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
}
