/**
 * One line of a journal: `["<crc32 of the rest>",<synced>,<batch>]`. Each line is JSON by itself, so that people can read
 * a journal with the usual tools.
 *
 * `synced` is how many bytes of the file were on the disk for certain when the line was written. It tells a torn tail
 * from damage: a power cut can spoil any part of what was not synced yet, also the first of several lines, but an
 * unreadable line before the `synced` of a later one was safe once and is damaged now.
 */
import { crc32 } from 'node:zlib';

export interface JournalLine {
  /** JSON of a batch. */
  readonly text: string;
  readonly synced: number;
}

/** The bytes of a line, with its end. */
export function encodeLine({ text, synced }: JournalLine): Uint8Array {
  // The checksum is filled in afterwards, so that the bytes are copied only once.
  const line = Buffer.from(`["00000000",${synced},${text}]\n`);
  line.write(checksum(line.subarray(PREFIX_BYTES, -1)), 2, 'latin1');
  return line;
}

/** Reads the bytes of a line without its end; `undefined` if they are not what was written. */
export function decodeLine(bytes: Uint8Array): JournalLine | undefined {
  const start = Buffer.from(bytes.subarray(0, PREFIX_BYTES)).toString('latin1');
  const rest = bytes.subarray(PREFIX_BYTES);
  if (start !== `["${checksum(rest)}",`) return undefined;
  const text = Buffer.from(rest).toString('utf8');
  const comma = text.indexOf(',');
  return { synced: Number(text.slice(0, comma)), text: text.slice(comma + 1, -1) };
}

/** `["01234567",` */
const PREFIX_BYTES = 12;

function checksum(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, '0');
}
