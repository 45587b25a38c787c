/** An answer as a value and as JSON text. The text is assembled from the texts of the records, which nobody parses. */
import type { SyncPushResponse, SyncServerChange } from '@objectql/sync-types';
import type { FeedChange } from './feed-change.js';

/** An answer whose changes hold their records as text. */
export type Answer = Omit<SyncPushResponse, 'serverChanges'> & { readonly serverChanges: readonly FeedChange[] };

/** The answer as a caller of the handler gets it. */
export function answerValue({ serverChanges, ...answer }: Answer): SyncPushResponse {
  return { ...answer, serverChanges: serverChanges.map(changeValue) };
}

/** An answer as it is sent over HTTP. */
export interface AnswerText {
  readonly text: string;
  /**
   * The checkpoint, if nothing else in the answer can change the client's next request, and there may be more to pull.
   */
  readonly nextPage: string | undefined;
}

export function answerToSend(answer: Answer): AnswerText {
  const { results, hasMore, reset, checkpoint } = answer;
  const isPlain = !reset && results.every(({ status }) => status === 'applied');
  const isNextAsked = isPlain && (hasMore || results.length > 0);
  return { text: answerText(answer), nextPage: isNextAsked ? checkpoint : undefined };
}

/** The text sent over HTTP: equal to `JSON.stringify(answerValue(answer))` except for the order of properties. */
function answerText({ serverChanges, ...answer }: Answer): string {
  const textOf = rememberedTexts();
  // The rest is an object that is never empty, so its last brace can be moved behind the changes.
  return `${JSON.stringify(answer).slice(0, -1)},"serverChanges":[${serverChanges.map((change) => changeText(change, textOf)).join(',')}]}`;
}

function changeValue({ data, ...change }: FeedChange): SyncServerChange {
  // A store's own text of a record, which it made by `JSON.stringify`.
  return data === undefined ? change : { ...change, data: JSON.parse(data) };
}

/** Property by property: `JSON.stringify` of whole changes was most of the cost of a page. */
function changeText(change: FeedChange, textOf: (value: string) => string): string {
  const { objectName, recordId, serverVersion, timestamp, operation, origin, data } = change;
  const id = typeof recordId === 'number' ? recordId : JSON.stringify(recordId);
  const whose = origin
    ? `,"origin":{"logId":${textOf(origin.logId)},"mutationId":${JSON.stringify(origin.mutationId)},"sequence":${origin.sequence}}`
    : '';
  const what = data === undefined ? '' : `,"data":${data}`;
  return `{"objectName":${textOf(objectName)},"recordId":${id},"serverVersion":${serverVersion},"timestamp":"${timestamp}","operation":"${operation}"${whose}${what}}`;
}

/** `JSON.stringify`, remembering: a page names few objects and few logs. */
function rememberedTexts(): (value: string) => string {
  const texts = new Map<string, string>();
  return (value) => {
    const known = texts.get(value);
    if (known !== undefined) return known;
    const text = JSON.stringify(value);
    texts.set(value, text);
    return text;
  };
}
