/** A second IndexedDB of this site; the browser keeps it apart from the first. */

/** Chromium has it since version 122, other browsers not yet: https://wicg.github.io/storage-buckets/ */
interface StorageBuckets {
  open(name: string, options: { readonly durability: 'strict' }): Promise<StorageBucket>;
}

interface StorageBucket {
  readonly indexedDB: IDBFactory;
}

/** Kept here: once a bucket is garbage-collected, no transaction on a database opened in it ever ends. */
let bucket: Promise<StorageBucket> | undefined;

/** `undefined` if there is none, or the browser denies it to this page. */
export async function secondIndexedDb(): Promise<IDBFactory | undefined> {
  const { navigator } = globalThis as { readonly navigator?: { readonly storageBuckets?: StorageBuckets } };
  bucket ??= navigator?.storageBuckets?.open('objectql-sync', { durability: 'strict' });
  return (await bucket?.catch(() => undefined))?.indexedDB;
}
