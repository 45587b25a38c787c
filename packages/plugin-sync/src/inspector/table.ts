/** Rows of texts; some can be pressed. */
import { element } from './element.js';

export type Cell = string | { readonly text: string; readonly onClick: () => void };

/** A table with these column titles; a line of text if there are no rows. */
export function table(titles: readonly string[], rows: readonly (readonly Cell[])[]): Element {
  if (rows.length === 0) return element('p', {}, 'None.');
  const head = titles.some(Boolean)
    ? [element('thead', {}, element('tr', {}, ...titles.map((title) => element('th', { scope: 'col' }, title))))]
    : [];
  const body = rows.map((row) => element('tr', {}, ...row.map((cell) => element('td', {}, contentOf(cell)))));
  // Wide tables can be scrolled, also by keyboard.
  return element(
    'div',
    { class: 'scroll', tabindex: '0' },
    element('table', {}, ...head, element('tbody', {}, ...body)),
  );
}

function contentOf(cell: Cell): Node | string {
  if (typeof cell === 'string') return cell;
  const button = element('button', { type: 'button' }, cell.text);
  button.addEventListener('click', cell.onClick);
  return button;
}
