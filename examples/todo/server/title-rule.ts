/** The one rule of this server, so that a refusal can be seen. The app does not check it: it learns of it by syncing. */
import { type RecordResolver, RejectionError, storeResolver } from '@objectql/protocol-sync';

export const MAX_TITLE_LENGTH = 60;

/** Keeps the records in the sync store, and refuses titles that are empty or too long. */
export const titleRule: RecordResolver = {
  ...storeResolver,
  applyMutation({ data }) {
    if (data?.title === undefined) return;
    const title = String(data.title).trim();
    if (title === '') throw new RejectionError('VALIDATION', 'A task needs a title.');
    if (title.length > MAX_TITLE_LENGTH) {
      const reason = `A title may have ${MAX_TITLE_LENGTH} characters at most; this one has ${title.length}.`;
      throw new RejectionError('VALIDATION', reason);
    }
  },
};
