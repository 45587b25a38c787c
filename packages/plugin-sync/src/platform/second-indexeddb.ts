/** A second IndexedDB of this site, which the browser keeps apart from the first. */

/** What Chromium has since version 122, and no other browser yet: https://wicg.github.io/storage-buckets/ */
interface StorageBuckets {
  open(name: string, options: { readonly durability: 'strict' }): Promise<{ readonly indexedDB: IDBFactory }>;
}

/** `undefined` where there is none. */
export async function secondIndexedDb(): Promise<IDBFactory | undefined> {
  const { navigator } = globalThis as { readonly navigator?: { readonly storageBuckets?: StorageBuckets } };
  return (await navigator?.storageBuckets?.open('objectql-sync', { durability: 'strict' }))?.indexedDB;
}
