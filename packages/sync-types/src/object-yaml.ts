/** Reads the `sync` block of `*.object.yml` metadata. A subpath, so that the YAML parser stays out of browsers. */
import { isMap, LineCounter, parseDocument, type YAMLParseError } from 'yaml';
import { checkObjectMap } from './object-yaml/check-object-map.js';
import { ObjectYamlError, type ObjectYamlProblem } from './object-yaml/object-yaml-error.js';
import type { SyncConfig } from './sync-config.js';

export { ObjectYamlError, type ObjectYamlProblem } from './object-yaml/object-yaml-error.js';

/** What an object's metadata says about sync. */
export interface ObjectSync {
  /** The object's `name`. */
  readonly objectName: string;
  /** Its `sync` block as written; `{ enabled: false }` if it has none. */
  readonly sync: SyncConfig;
}

/** A metadata file: its name, used only in messages, and its content. */
export interface ObjectYamlFile {
  readonly file: string;
  readonly text: string;
}

/**
 * The object's name and sync configuration from one `*.object.yml`:
 * `readObjectSync('name: task\nsync: { enabled: true }', { file: 'task.object.yml' })` gives
 * `{ objectName: 'task', sync: { enabled: true } }`. Checks `sync`, `name`, and that `conflict_fields` are declared in
 * `fields` where there are any; the rest of the file passes unread. Throws {@link ObjectYamlError} with every problem.
 */
export function readObjectSync(text: string, options: { readonly file: string }): ObjectSync {
  const { problems, objectName, sync } = readFile({ file: options.file, text });
  throwIfAny(problems);
  return { objectName, sync };
}

/**
 * The sync configuration of each object, by object name, from all of an app's metadata files. Two files for one object
 * are a problem. Throws one {@link ObjectYamlError} with the problems of all files.
 */
export function readObjectSyncFiles(files: Iterable<ObjectYamlFile>): ReadonlyMap<string, SyncConfig> {
  const problems: ObjectYamlProblem[] = [];
  const fileByObject = new Map<string, string>();
  const syncByObject = new Map<string, SyncConfig>();
  for (const file of files) {
    const read = readFile(file);
    problems.push(...read.problems);
    const earlier = fileByObject.get(read.objectName);
    if (earlier !== undefined) {
      const problem = `${read.objectName} is already the name of the object in ${earlier}; keep one of the two files`;
      problems.push({ file: file.file, ...read.namePosition, key: 'name', problem });
    } else if (read.objectName !== '') {
      fileByObject.set(read.objectName, file.file);
      syncByObject.set(read.objectName, read.sync);
    }
  }
  throwIfAny(problems);
  return syncByObject;
}

interface FileReading extends ObjectSync {
  readonly namePosition: { readonly line: number; readonly column: number };
  readonly problems: readonly ObjectYamlProblem[];
}

function readFile({ file, text }: ObjectYamlFile): FileReading {
  const lineCounter = new LineCounter();
  // We check only our own keys for duplicates, so that the rest of the file passes whatever it holds.
  const document = parseDocument(text, {
    lineCounter,
    merge: true,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'error',
  });
  const at = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const unreadable = { objectName: '', sync: { enabled: false }, namePosition: at(0) };
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({
      file,
      ...at(error.pos[0]),
      key: '',
      problem: explainSyntax(error),
    }));
    return { ...unreadable, problems };
  }
  if (!isMap(document.contents)) {
    const problem = 'must be a mapping with the name of an object';
    return { ...unreadable, problems: [{ file, ...at(document.contents?.range?.[0] ?? 0), key: '', problem }] };
  }
  const checked = checkObjectMap(document.contents, document);
  return {
    objectName: checked.objectName,
    sync: checked.sync,
    namePosition: at(checked.nameOffset),
    problems: checked.findings.map(({ offset, key, problem }) => ({ file, ...at(offset), key, problem })),
  };
}

function explainSyntax(error: YAMLParseError): string {
  return error.code === 'MULTIPLE_DOCS' ? 'holds a second document; give each object a file of its own' : error.message;
}

function throwIfAny(problems: readonly ObjectYamlProblem[]): void {
  const [first, ...others] = problems;
  if (first) throw new ObjectYamlError([first, ...others]);
}
