/** Type-checks all blocks as one program, because starting the compiler costs more than checking a block. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { SnippetProblem } from './snippet.js';
import type { SnippetModule } from './snippet-module.js';

const BASE_CONFIG = fileURLToPath(new URL('../../tsconfig.base.json', import.meta.url));

/**
 * What the compiler says of the blocks, at the lines of their pages, under the rules of this repository's own code.
 * `declarations` are files that declare modules which are not installed here.
 */
export function typeCheck(
  modules: readonly SnippetModule[],
  declarations: readonly string[] = [],
): readonly SnippetProblem[] {
  const moduleByFile = new Map(modules.map((module) => [module.file, module]));
  const program = ts.createProgram([...moduleByFile.keys(), ...declarations], compilerOptions());
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const problem = ts.flattenDiagnosticMessageText(messageText, '\n');
    const module = file && moduleByFile.get(file.fileName);
    if (!module) return { page: file?.fileName ?? BASE_CONFIG, line: 1, problem };
    const { line } = file.getLineAndCharacterOfPosition(start ?? 0);
    return { page: module.snippet.page, line: module.snippet.line + line, problem };
  });
}

/** How this repository checks a program that is not one of its own: a page's block. */
export function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(BASE_CONFIG, ts.sys.readFile);
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, dirname(BASE_CONFIG));
  return {
    ...options,
    allowJs: true,
    jsx: ts.JsxEmit.ReactJSX,
    // A block without imports is still a module of its own, and may await at its top.
    moduleDetection: ts.ModuleDetectionKind.Force,
    // A block shows what one can do, and need not go on to use it.
    noUnusedLocals: false,
    noUnusedParameters: false,
  };
}
