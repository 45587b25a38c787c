/** Type-checks apps that use the packages, with compiler settings as strict as a user's can be. */
import { copyFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run-command.js';

/** An app's kind of project, and what it imports. */
export interface AppTypes {
  /** The package of the compiler. */
  readonly compiler: string;
  readonly compilerOptions: object;
  /** The endings of its files: `.mts` is an ES module and `.cts` CommonJS, whatever else is set. */
  readonly endings: readonly string[];
  readonly specifiers: readonly string[];
  /** Programs in `fixtures` that must type-check too. */
  readonly programs: readonly string[];
}

const strictest = {
  strict: true,
  noEmit: true,
  // Of what is exported each type must have a name that others can import.
  declaration: true,
  target: 'ES2022',
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
};

/** A client's project: it knows the browser and no Node. */
export const BROWSER_OPTIONS = {
  ...strictest,
  module: 'ESNext',
  moduleResolution: 'Bundler',
  lib: ['ES2022', 'DOM'],
  types: [],
} as const;

/** A server's project: it knows Node and no browser. */
export const NODE_OPTIONS = {
  ...strictest,
  module: 'Node16',
  moduleResolution: 'Node16',
  // What a project of some years has; Node's own types ask for no more.
  lib: ['ES2020'],
  types: ['node'],
  typeRoots: [fileURLToPath(new URL('../../../node_modules/@types', import.meta.url))],
} as const;

/** What the compiler says of the app in `folder`, which has the packages installed; empty when all is well. */
export async function typeCheckApp(folder: string, app: AppTypes): Promise<string> {
  const lines = app.specifiers.map(
    (name, index) => `import * as module${index} from '${name}';\nvoid module${index};\n`,
  );
  const imports = app.endings.map((ending) => `imports${ending}`);
  for (const file of imports) await writeFile(join(folder, file), lines.join(''));
  for (const program of app.programs) {
    await copyFile(fileURLToPath(new URL(`../fixtures/${program}`, import.meta.url)), join(folder, basename(program)));
  }
  const config = { compilerOptions: app.compilerOptions, files: [...imports, ...app.programs] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = createRequire(import.meta.url).resolve(`${app.compiler}/bin/tsc`);
  return run({ command: process.execPath, args: [tsc, '-p', 'tsconfig.json'], cwd: folder });
}
