/** What the client is doing and why, for developers: as data, and as a panel in a page. The package's `/inspector` entry. */
export type { Explanation, FieldOrigin, InspectedEntry } from './explain-record.js';
export { type Inspection, Inspector, type InspectorOptions } from './inspector.js';
export { mountInspector, type PanelHost } from './mount-inspector.js';
export type { RecordedOutcome, RecordedRequest, RequestOutcome } from './recorded-request.js';
