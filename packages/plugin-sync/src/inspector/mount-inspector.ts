/** The inspector as a panel in a page. Knows no framework, and keeps its styles to itself. */
import type { SyncPlugin } from '../sync-plugin.js';
import { Explainer } from './explainer.js';
import { type Inspection, Inspector, type InspectorOptions } from './inspector.js';
import { partsOf } from './panel-parts.js';
import { PANEL_STYLES } from './panel-styles.js';

/** An element of the page, as far as it is used: programs without DOM types can import this module as well. */
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
  // A cast, because the port does not use the DOM's types.
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
    // An unchanged part keeps its elements, and with them its reader's focus and selection.
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
