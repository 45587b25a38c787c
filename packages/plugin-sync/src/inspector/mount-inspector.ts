/** The inspector as a panel in a page. Knows no framework, and keeps its styles to itself. */
import type { RecordId } from '@objectql/sync-types';
import type { SyncPlugin } from '../sync-plugin.js';
import { element } from './element.js';
import type { Explanation } from './explain-record.js';
import { type Inspection, Inspector, type InspectorOptions } from './inspector.js';
import { PANEL_STYLES } from './panel-styles.js';
import { type Cell, table } from './table.js';

/** An element of the page, by what is used of it: a program that knows no DOM can import this module as well. */
export interface PanelHost {
  readonly shadowRoot: object | null;
  attachShadow(init: { readonly mode: 'open' }): object;
}

/**
 * Shows the panel in `host` and returns what takes it away. Load it only when somebody asks for it:
 *
 * ```text
 * const { mountInspector } = await import('@objectql/plugin-sync/inspector');
 * const unmount = mountInspector(document.getElementById('inspector'), sync);
 * ```
 */
export function mountInspector(host: PanelHost, sync: SyncPlugin, options?: InspectorOptions): () => void {
  const inspector = new Inspector(sync, options);
  // A cast, because the port leaves the DOM's own types out.
  const root = (host.shadowRoot ?? host.attachShadow({ mode: 'open' })) as ShadowRoot;
  const styles = new CSSStyleSheet();
  styles.replaceSync(PANEL_STYLES);
  root.adoptedStyleSheets = [styles];
  const explainer = new Explainer(inspector);
  const parts = partsOf(explainer);
  root.replaceChildren(...parts.map(({ section }) => section), explainer.section);

  let shown: Inspection | undefined;
  const show = () => {
    const now = inspection.getSnapshot();
    // A part that did not change keeps its elements, and with them the focus and the selection of whoever reads it.
    for (const { body, of, draw } of parts) if (!shown || of(shown) !== of(now)) body.replaceChildren(draw(now));
    shown = now;
    explainer.again();
  };
  const { inspection } = inspector;
  const stop = inspection.subscribe(show);
  show();
  return () => {
    stop();
    inspector.close();
    root.replaceChildren();
  };
}

interface Part {
  readonly section: Element;
  readonly body: Element;
  /** What the part is drawn from. */
  readonly of: (inspection: Inspection) => unknown;
  readonly draw: (inspection: Inspection) => Node;
}

function partsOf(explainer: Explainer): readonly Part[] {
  const record = (objectName: string, recordId: RecordId): Cell => ({
    text: `${objectName} ${recordId}`,
    onClick: () => explainer.explain(objectName, recordId),
  });
  return [
    part('Client', {
      of: ({ status, checkpoint, logId }) => JSON.stringify([status, checkpoint, logId]),
      draw: ({ status, clientId, logId, checkpoint, walk, user }) =>
        table(
          ['', ''],
          [
            ['state', `${status.state}, ${status.pending} pending`],
            ['last error', status.lastError ?? 'none'],
            ['live updates', status.live],
            ['clock', clockOf(status.clockSkewMs)],
            ['checkpoint', checkpoint ?? 'none yet'],
            ...(walk === null ? [] : [['walk', `${walk}: all records are being received anew`]]),
            ['client, log', `${clientId}, ${logId}`],
            ...(user === null ? [] : [['user', user]]),
          ],
        ),
    }),
    part('Log', {
      of: ({ log }) => log,
      draw: ({ log }) =>
        table(
          ['#', 'record', 'change', 'progress'],
          log.map(({ mutation, progress, tries }) => [
            String(mutation.sequence),
            record(mutation.objectName, mutation.recordId),
            `${mutation.operation} ${Object.keys(mutation.data ?? {}).join(', ')}`,
            tries > 0 ? `${progress}, put off ${tries}×` : progress,
          ]),
        ),
    }),
    part('Outcomes', {
      of: ({ outcomes }) => outcomes,
      draw: ({ outcomes }) =>
        table(
          ['at', 'record', 'change', 'outcome'],
          outcomes.map(({ at, objectName, recordId, operation, status, detail }) => [
            timeOf(at),
            record(objectName, recordId),
            operation,
            `${status}: ${detail}`,
          ]),
        ),
    }),
    part('Waiting for the user', {
      of: ({ conflicts, deadLetters }) => JSON.stringify([conflicts, deadLetters]),
      draw: ({ conflicts, deadLetters }) =>
        table(
          ['since', 'record', 'what', 'why'],
          [
            ...conflicts.map(({ conflict, parkedAt }) => [
              timeOf(parkedAt),
              record(conflict.objectName, conflict.recordId),
              'conflict',
              [conflict.kind, ...conflict.conflictingFields].filter(Boolean).join(' '),
            ]),
            ...deadLetters.map(({ mutation, code, reason, deadAt }) => [
              timeOf(deadAt),
              record(mutation.objectName, mutation.recordId),
              `refused ${mutation.operation}`,
              `${code}: ${reason}`,
            ]),
          ],
        ),
    }),
    part('Requests of this tab', {
      of: ({ requests }) => requests,
      draw: ({ requests }) =>
        table(
          ['#', 'at', 'request', 'took', 'answer'],
          requests.map(({ number, startedAt, kind, mutationIds, outcome }) => [
            String(number),
            timeOf(startedAt),
            kind === 'push' ? `push of ${mutationIds.length}` : 'pull',
            outcome.status === 'under way' ? '…' : `${outcome.tookMs} ms`,
            answerOf(outcome),
          ]),
        ),
    }),
  ];
}

function part(title: string, { of, draw }: Pick<Part, 'of' | 'draw'>): Part {
  const body = element('div', {});
  return { section: element('section', {}, element('h2', {}, title), body), body, of, draw };
}

function answerOf(outcome: Inspection['requests'][number]['outcome']): string {
  switch (outcome.status) {
    case 'under way':
      return 'under way';
    case 'failed':
      return outcome.message;
    case 'answered': {
      const more = [outcome.hasMore ? 'more to come' : '', outcome.reset ? `reset: ${outcome.reset}` : ''];
      return [`${outcome.changes} changes`, ...more, `up to ${outcome.checkpoint}`].filter(Boolean).join(', ');
    }
  }
}

/** A form that names a record, and why that record is as it is. */
class Explainer {
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

function clockOf(skewMs: number | null): string {
  if (skewMs === null) return 'not compared yet';
  return `${Math.abs(skewMs)} ms ${skewMs < 0 ? 'behind' : 'ahead of'} the server`;
}

function timeOf(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}
