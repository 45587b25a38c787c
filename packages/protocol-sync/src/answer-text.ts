/** An answer as a value and as JSON text. The text is put together from the texts of the records, which nobody parses. */
import type { SyncPushResponse, SyncServerChange } from '@objectql/sync-types';
import type { FeedChange } from './feed-page.js';

/** An answer whose changes hold their records as text. */
export type Answer = Omit<SyncPushResponse, 'serverChanges'> & { readonly serverChanges: readonly FeedChange[] };

/** What a caller of the handler gets. */
export function answerValue({ serverChanges, ...answer }: Answer): SyncPushResponse {
  return { ...answer, serverChanges: serverChanges.map(changeValue) };
}

/** What goes over HTTP: equal to `JSON.stringify(answerValue(answer))` but for the order of properties. */
export function answerText({ serverChanges, ...answer }: Answer): string {
  // The rest is an object that is never empty, so its last brace can be moved behind the changes.
  return `${JSON.stringify(answer).slice(0, -1)},"serverChanges":[${serverChanges.map(changeText).join(',')}]}`;
}

function changeValue({ data, ...change }: FeedChange): SyncServerChange {
  // A store's own text of a record, which it made by `JSON.stringify`.
  return data === undefined ? change : { ...change, data: JSON.parse(data) };
}

function changeText({ data, ...change }: FeedChange): string {
  const text = JSON.stringify(change);
  return data === undefined ? text : `${text.slice(0, -1)},"data":${data}}`;
}
