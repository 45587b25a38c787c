/** A second IndexedDB of this site, which the browser keeps apart from the first. */

/** What Chromium has since version 122, and no other browser yet: https://wicg.github.io/storage-buckets/ */
interface StorageBuckets {
  open(name: string, options: { readonly durability: 'strict' }): Promise<StorageBucket>;
}

interface StorageBucket {
  readonly indexedDB: IDBFactory;
}

/** Held on to: once a bucket is collected as garbage, no transaction on a database that was opened in it ever ends. */
let bucket: Promise<StorageBucket> | undefined;

/** `undefined` where there is none, or the browser gives this page none. */
export async function secondIndexedDb(): Promise<IDBFactory | undefined> {
  const { navigator } = globalThis as { readonly navigator?: { readonly storageBuckets?: StorageBuckets } };
  bucket ??= navigator?.storageBuckets?.open('objectql-sync', { durability: 'strict' });
  return (await bucket?.catch(() => undefined))?.indexedDB;
}
