/** Prints what each use of the client weighs, and what weighs what in it: `pnpm size`. */
import { BUNDLE_BUDGETS, CORE } from './bundle-budgets.js';
import { weighDuties } from './bundle-duties.js';
import { measureBundle } from './measure-bundle.js';

for (const [use, { code, external, maxInitialBytes, maxTotalBytes }] of Object.entries(BUNDLE_BUDGETS)) {
  const { initialBytes, totalBytes, bytesBySource } = await measureBundle(code, external);
  const figures = `${initialBytes} of ${maxInitialBytes} bytes gz at once, ${totalBytes} of ${maxTotalBytes} in all`;
  const weights = [...bytesBySource].filter(([, bytes]) => bytes > 0);
  const lines = weights.map(([path, bytes]) => `${String(bytes).padStart(8)}  ${path}`);
  process.stdout.write(`${use}: ${figures}; minified by source:\n${lines.join('\n')}\n\n`);
}

const duties = [...(await weighDuties(CORE))].map(([duty, bytes]) => `${String(bytes).padStart(8)}  ${duty}`);
process.stdout.write(
  `What engine, log and HTTP transport would be smaller without, in bytes gz:\n${duties.join('\n')}\n`,
);
