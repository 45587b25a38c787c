/** Finds where things are in a YAML text. */
import { isMap, isNode, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml';

/** The map's pair with that key; if the key is there twice, the last one, which counts. */
export function findPair(map: YAMLMap, key: PropertyKey): Pair | undefined {
  return map.items.findLast((pair) => keyText(pair) === String(key));
}

/** A pair's key as a property name; `undefined` if the key itself is a list or a mapping. */
export function keyText(pair: Pair): string | undefined {
  return isScalar(pair.key) ? String(pair.key.value) : undefined;
}

/** The offset of a pair's key. */
export function keyOffset(pair: Pair): number {
  return startOf(pair.key) ?? 0;
}

/**
 * The offset of the key, or of the list's item, at `path`. If that is missing in the text or comes from an alias, the
 * offset of the nearest thing around it that is in the text.
 */
export function offsetOf(map: YAMLMap, path: readonly PropertyKey[]): number {
  let offset = startOf(map) ?? 0;
  let node: unknown = map;
  for (const step of path) {
    if (isMap(node)) {
      const pair = findPair(node, step);
      if (!pair) return offset;
      offset = keyOffset(pair);
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
