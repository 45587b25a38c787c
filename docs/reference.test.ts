/** What the reference pages list in tables is what the types say: nothing is left out, and nothing is invented. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DEFAULT_LIMITS } from '@objectql/protocol-sync';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { compilerOptions } from '../scripts/snippets/type-check.js';
import { readTables } from './read-tables.js';

const TYPES = fileURLToPath(new URL('documented-types.ts', import.meta.url));
/** What an app may import and give options, but for `/testing` and `/inspector`, which have pages of their own. */
const ENTRIES = [
  'plugin-sync/src/index.ts',
  'plugin-sync/src/storage/file-storage.ts',
  'plugin-sync/src/storage/indexeddb-storage.ts',
  'plugin-sync/src/tabs/shared-tabs.ts',
  'plugin-sync/src/objectstack/data-engine-sync.ts',
  'protocol-sync/src/index.ts',
].map((entry) => fileURLToPath(new URL(`../packages/${entry}`, import.meta.url)));

const program = ts.createProgram([TYPES, ...ENTRIES], compilerOptions());
const checker = program.getTypeChecker();
const configuration = readTables(page('configuration.md'));
const errors = readTables(page('errors.md'));

test('each table of options lists the members of its type', () => {
  const documented = Object.fromEntries(configuration.map(({ name, rows }) => [name, rows.map(([key]) => key).sort()]));
  const declared = [...membersOf('OptionTables')].map(([name, type]) => [name, optionsOf(type)]);
  expect(documented).toMatchObject(Object.fromEntries(declared));
});

test('what takes the same options as another takes no more', () => {
  const rows = (name: string) => configuration.find((table) => table.name === name)?.rows.map(([key]) => key) ?? [];
  const { SyncEngine, SyncProtocolPlugin } = Object.fromEntries(
    [...membersOf('OptionSentences')].map(([name, type]) => [name, optionsOf(type)]),
  );
  const shared = rows('new SyncPlugin(options)').filter((key) => key !== 'objects' && key !== 'defaultConfig');
  expect(SyncEngine).toEqual([...shared, 'config'].sort());
  const ofHandler = rows('new SyncHandler(options)').filter((key) => key !== 'changeLogRetentionDays');
  expect(SyncProtocolPlugin).toEqual([...ofHandler, ...rows('new SyncProtocolPlugin(options)')].sort());
});

test('whatever takes options has a table', () => {
  const withTable = [...membersOf('OptionTables').values(), ...membersOf('OptionSentences').values()].map(nameOf);
  // Those of `ConflictResolver`, which only the engine makes, of `SyncClient`, which the plugin makes with its own, and of
  // JavaScript's own errors.
  const others = ['ResolverOptions', 'SyncClientOptions', 'ErrorOptions'];
  expect(optionTypesOf(ENTRIES).filter((name) => !withTable.includes(name))).toEqual(others);
});

test('whatever may be left out may be given as undefined', () => {
  const strict = [...membersOf('OptionTables')].flatMap(([name, type]) =>
    strictOptionsOf(type).map((key) => [name, key]),
  );
  expect(strict).toEqual([]);
});

test('the limits have the defaults that the table says', () => {
  const rows = configuration.find(({ name }) => name === 'limits')?.rows ?? [];
  expect(Object.fromEntries(rows.map(([key, value = '']) => [key, numberOf(value)]))).toEqual(DEFAULT_LIMITS);
});

test('the page tells once for all of the option that its tables leave out', () => {
  expect(page('configuration.md')).toContain('takes a `platform`');
});

test('each error code has a row under its heading', () => {
  for (const [heading, type] of membersOf('CodeTables')) {
    const rows = errors.filter(({ heading: own }) => own === heading).flatMap(({ rows }) => rows);
    const documented = rows.flatMap(([code = '']) => code.split(/, /)).sort();
    const codes = type.isUnion() ? type.types.map((code) => (code.isStringLiteral() ? code.value : '')) : [];
    expect([heading, documented]).toEqual([heading, codes.sort()]);
  }
});

function page(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

/** The members of an interface of `documented-types.ts`, with their types. */
function membersOf(name: string): ReadonlyMap<string, ts.Type> {
  const source = program.getSourceFile(TYPES);
  const module = source && checker.getSymbolAtLocation(source);
  const symbol = module && checker.getExportsOfModule(module).find((exported) => exported.name === name);
  if (!symbol) throw new Error(`documented-types.ts has no ${name}.`);
  const members = checker.getDeclaredTypeOfSymbol(symbol).getProperties();
  return new Map(members.map((member) => [member.name, checker.getTypeOfSymbol(member)]));
}

/** But for `platform`, of which the page tells once for all: see the test. */
function optionsOf(type: ts.Type): readonly string[] {
  return checker
    .getNonNullableType(type)
    .getProperties()
    .map((property) => property.name)
    .filter((name) => name !== 'platform')
    .sort();
}

/** Options that may be left out and not be `undefined`; methods are left out or there. */
function strictOptionsOf(type: ts.Type): readonly string[] {
  return checker
    .getNonNullableType(type)
    .getProperties()
    .flatMap(({ name, valueDeclaration: declared }) => {
      if (!declared || !ts.isPropertySignature(declared) || !declared.questionToken || !declared.type) return [];
      const parts = checker.getTypeFromTypeNode(declared.type);
      const isOpen = (parts.isUnion() ? parts.types : [parts]).some(({ flags }) => flags & ts.TypeFlags.Undefined);
      return isOpen ? [] : [name];
    });
}

function nameOf(type: ts.Type): string {
  const { aliasSymbol, symbol }: Partial<Pick<ts.Type, 'aliasSymbol' | 'symbol'>> = checker.getNonNullableType(type);
  return (aliasSymbol ?? symbol)?.name ?? '';
}

/** The types named `…Options` that something exported takes as a parameter. */
function optionTypesOf(entries: readonly string[]): readonly string[] {
  const names = entries.flatMap((entry) => {
    const source = program.getSourceFile(entry);
    const module = source && checker.getSymbolAtLocation(source);
    const exported = module ? checker.getExportsOfModule(module) : [];
    return exported.flatMap((symbol) => parametersOf(symbol).map(nameOf));
  });
  return [...new Set(names.filter((name) => name.endsWith('Options')))];
}

function parametersOf(symbol: ts.Symbol): readonly ts.Type[] {
  const value = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  if (!value.valueDeclaration) return [];
  const type = checker.getTypeOfSymbol(value);
  const signatures = [...type.getCallSignatures(), ...type.getConstructSignatures()];
  const parameters = signatures.flatMap((signature) => signature.getParameters());
  return parameters.flatMap((parameter) => {
    const taken = checker.getNonNullableType(checker.getTypeOfSymbol(parameter));
    return taken.isUnion() ? taken.types : [taken];
  });
}

/** `1 MiB` is 1,048,576. */
function numberOf(text: string): number {
  const [amount = '', unit = ''] = text.replaceAll(',', '').split(' ');
  return Number(amount) * ({ MiB: 1024 * 1024, KiB: 1024 }[unit] ?? 1);
}
