/** Texts of strangers in messages for operators. */

/** The text in one line, without what a terminal obeys: ids may hold line feeds, and would forge entries of a log. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
