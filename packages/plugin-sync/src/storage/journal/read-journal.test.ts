import { expect, test } from 'vitest';
import { encodeLine } from './journal-line.js';
import { JOURNAL_HEADER, readJournal } from './read-journal.js';

/** A journal of three batches, of which the last two were written together, with these of them spoilt. */
function journal(spoilt: readonly number[]) {
  const parts = [Buffer.from(JOURNAL_HEADER)];
  const size = () => Buffer.concat(parts).length;
  const ends: number[] = [];
  const synced = [size()];
  for (const n of [1, 2, 3]) {
    if (n === 2) synced.push(size());
    const line = Buffer.from(encodeLine({ text: `{"n":${n}}`, synced: synced.at(-1) ?? 0 }));
    if (spoilt.includes(n)) line.write('?', line.length - 3);
    parts.push(line);
    ends.push(size());
  }
  return { bytes: Buffer.concat(parts), ends };
}

test('leaves out what a power cut tore of the last batches, also where a later line of them is whole', () => {
  for (const spoilt of [[2], [2, 3]]) {
    const { bytes, ends } = journal(spoilt);
    const syncedBytes = JOURNAL_HEADER.length;
    expect(readJournal(bytes, 'a.journal')).toEqual({ texts: ['{"n":1}'], goodBytes: ends[0], syncedBytes });
  }
});

test('I1 refuses a journal of which a durable line is spoilt, though a later one was torn', () => {
  const damaged = `a.journal is damaged at byte ${JOURNAL_HEADER.length}`;
  for (const spoilt of [[1], [1, 2]]) expect(() => readJournal(journal(spoilt).bytes, 'a.journal')).toThrow(damaged);
});
