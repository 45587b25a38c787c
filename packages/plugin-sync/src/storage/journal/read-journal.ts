/** Reads a journal's bytes: its batches, and how far it is whole. */
import { StorageError } from '../storage-error.js';
import { decodeLine } from './journal-line.js';

const FORMAT_VERSION = 1;

/** The first line of a journal: JSON, so that people who find the file can tell what it is. */
export const JOURNAL_HEADER = `{"format":"objectql-sync-journal","version":${FORMAT_VERSION}}\n`;

export interface JournalContent {
  /** The JSON of the batches, in the order they were written. */
  readonly texts: readonly string[];
  /** Bytes up to the end of the last good line; what follows was never reported as durable. */
  readonly goodBytes: number;
  /**
   * How many of them are on the disk by the word of a later line; the others may have come from the system's memory.
   */
  readonly syncedBytes: number;
}

/** Reads the content of the journal at `path`. Throws `DAMAGED` when a line that was durable once is unreadable. */
export function readJournal(bytes: Uint8Array, path: string): JournalContent {
  const [header, ...lines] = splitLines(bytes);
  checkHeader(header, path);
  const texts: string[] = [];
  let badLine: Line | undefined;
  let goodBytes = JOURNAL_HEADER.length;
  let syncedBytes = goodBytes;
  for (const line of lines) {
    const decoded = decodeLine(line.bytes);
    if (!decoded) {
      badLine ??= line;
    } else if (!badLine) {
      texts.push(decoded.text);
      goodBytes = line.end;
      syncedBytes = decoded.synced;
    } else if (decoded.synced > badLine.start) {
      throw new StorageError(
        'DAMAGED',
        `The sync journal ${path} is damaged at byte ${badLine.start}: a line there is no longer what was written. Restore the file from a backup, or delete it to sync anew, which loses what was not sent.`,
      );
    }
  }
  return { texts, goodBytes, syncedBytes };
}

interface Line {
  readonly start: number;
  /** After its line break. */
  readonly end: number;
  /** Without its line break. */
  readonly bytes: Uint8Array;
}

/** The complete lines; anything after the last line break is torn. */
function splitLines(bytes: Uint8Array): readonly Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (let end = bytes.indexOf(LINE_BREAK); end !== -1; end = bytes.indexOf(LINE_BREAK, start)) {
    lines.push({ start, end: end + 1, bytes: bytes.subarray(start, end) });
    start = end + 1;
  }
  return lines;
}

const LINE_BREAK = 0x0a;

function checkHeader(header: Line | undefined, path: string): void {
  const text = header ? `${Buffer.from(header.bytes).toString('utf8')}\n` : '';
  if (text === JOURNAL_HEADER) return;
  // A newer header may have more after its version.
  const version = /^\{"format":"objectql-sync-journal","version":(\d+)[,}]/.exec(text)?.[1];
  if (version !== undefined && Number(version) > FORMAT_VERSION) {
    throw new StorageError(
      'TOO_NEW',
      `The sync journal ${path} has format ${version}; this app knows format ${FORMAT_VERSION}. Update the app.`,
    );
  }
  throw new StorageError(
    'DAMAGED',
    `${path} is not a sync journal: its first line is not the header of one. Give another path.`,
  );
}
