/** Prints what needs attention and keeps quiet about the rest. */
import type { KernelLogger } from './kernel-plugin.js';

export const consoleLogger: KernelLogger = {
  debug: () => {},
  info: () => {},
  // biome-ignore-start lint/suspicious/noConsole: a browser has no other place for what plugins report.
  warn: (message, ...details) => console.warn(message, ...details),
  error: (message, ...details) => console.error(message, ...details),
  // biome-ignore-end lint/suspicious/noConsole: see above.
};
