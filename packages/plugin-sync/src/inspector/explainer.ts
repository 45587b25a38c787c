/** The panel's form for asking why a record is as it is, and the answer. */
import type { RecordId } from '@objectql/sync-types';
import { element } from './element.js';
import type { Explanation } from './explain-record.js';
import type { Inspector } from './inspector.js';
import { table } from './table.js';

/** A form that names a record, and the explanation of that record. */
export class Explainer {
  readonly section: Element;
  readonly #inspector: Inspector;
  readonly #object = element('input', { name: 'object', placeholder: 'task', required: '' });
  readonly #id = element('input', { name: 'id', required: '' });
  readonly #result = element('div', { 'aria-live': 'polite' });
  #asked: { readonly objectName: string; readonly recordId: RecordId } | undefined;
  #seen = '';

  constructor(inspector: Inspector) {
    this.#inspector = inspector;
    const form = element(
      'form',
      {},
      element('label', {}, 'Object ', this.#object),
      element('label', {}, 'Id ', this.#id),
      element('button', {}, 'Explain'),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.explain(this.#object.value, this.#id.value);
    });
    this.section = element('section', {}, element('h2', {}, 'Explain a record'), form, this.#result);
  }

  explain(objectName: string, recordId: RecordId): void {
    this.#object.value = objectName;
    this.#id.value = String(recordId);
    this.#asked = { objectName, recordId };
    this.again();
  }

  /** Explains the same record as it is now. */
  again(): void {
    const asked = this.#asked;
    if (!asked) return;
    this.#inspector.explain(asked).then(
      (explanation) => this.#show(explanation, asked),
      (error: unknown) => {
        this.#seen = '';
        this.#result.replaceChildren(String(error));
      },
    );
  }

  #show(explanation: Explanation, asked: object): void {
    const text = JSON.stringify(explanation);
    if (asked !== this.#asked || text === this.#seen) return;
    this.#seen = text;
    const { because, fields } = explanation;
    this.#result.replaceChildren(
      element('ul', {}, ...because.map((reason) => element('li', {}, reason))),
      table(
        ['field', 'shown', 'from', 'the server has'],
        fields.map(({ field, value, mutationId, serverValue }) => [
          field,
          JSON.stringify(value),
          mutationId === null ? 'server' : `pending ${mutationId}`,
          serverValue === undefined ? '' : JSON.stringify(serverValue),
        ]),
      ),
    );
  }
}
