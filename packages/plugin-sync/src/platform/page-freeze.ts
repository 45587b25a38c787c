/** When the browser freezes this page, as it does when nobody has looked at it for long. */

let frozen: Promise<void> | undefined;
let isFollowed = false;

/**
 * Resolves when the page goes on; `undefined` while it is not frozen, or if there is no page. Call it once before the
 * page can freeze.
 */
export function whileFrozen(): Promise<void> | undefined {
  if (isFollowed) return frozen;
  isFollowed = true;
  // Workers and Node have no document.
  const page: Document | undefined = globalThis.document;
  page?.addEventListener('freeze', () => {
    frozen = new Promise<void>((resolve) => page.addEventListener('resume', () => resolve(), { once: true })).then(
      () => {
        frozen = undefined;
      },
    );
  });
  return frozen;
}
