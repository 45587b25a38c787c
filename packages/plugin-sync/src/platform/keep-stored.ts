/** Asks the browser not to delete what this site stores. */

let asked: Promise<boolean> | undefined;

/**
 * Asks, once in the life of a page, that the site's data outlives a full disk. Resolves with whether the browser
 * promises it: Chromium and Safari decide by how much the site is used, Firefox asks the user. Never rejects.
 */
export function keepStored(): Promise<boolean> {
  asked ??= ask().catch(() => false);
  return asked;
}

async function ask(): Promise<boolean> {
  // Absent in workers of old browsers, in Node, and on pages without HTTPS, whatever the types say.
  const storage = (globalThis as { readonly navigator?: { readonly storage?: Partial<StorageManager> } }).navigator
    ?.storage;
  return (await storage?.persisted?.()) === true || (await storage?.persist?.()) === true;
}
