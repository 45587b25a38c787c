/** What is shown of a client, part by part: a part is drawn again only when its data has changed. */
import type { RecordId } from '@objectql/sync-types';
import { element } from './element.js';
import type { Explainer } from './explainer.js';
import type { Inspection } from './inspector.js';
import { type Cell, table } from './table.js';

export interface Part {
  readonly section: Element;
  readonly body: Element;
  /** The data that the part shows. */
  readonly of: (inspection: Inspection) => unknown;
  readonly draw: (inspection: Inspection) => Node;
}

/** The name of a record; pressing it explains the record. */
type RecordCell = (objectName: string, recordId: RecordId) => Cell;

/** The parts in the order they are shown. */
export function partsOf(explainer: Explainer): readonly Part[] {
  const record: RecordCell = (objectName, recordId) => ({
    text: `${objectName} ${recordId}`,
    onClick: () => explainer.explain(objectName, recordId),
  });
  return [clientPart(), logPart(record), outcomesPart(record), waitingPart(record), requestsPart()];
}

function clientPart(): Part {
  return part('Client', {
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
  });
}

function logPart(record: RecordCell): Part {
  return part('Log', {
    of: ({ log }) => log,
    draw: ({ log }) =>
      table(
        ['#', 'record', 'change', 'progress'],
        log.map(({ mutation, progress, tries, failedAlone }) => [
          String(mutation.sequence),
          record(mutation.objectName, mutation.recordId),
          `${mutation.operation} ${Object.keys(mutation.data ?? {}).join(', ')}`,
          [progress, ...times('put off', tries), ...times('failed alone', failedAlone?.count ?? 0)].join(', '),
        ]),
      ),
  });
}

function times(what: string, count: number): readonly string[] {
  return count > 0 ? [`${what} ${count}×`] : [];
}

function outcomesPart(record: RecordCell): Part {
  return part('Outcomes', {
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
  });
}

function waitingPart(record: RecordCell): Part {
  return part('Waiting for the user', {
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
  });
}

function requestsPart(): Part {
  return part('Requests of this tab', {
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
  });
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

function clockOf(skewMs: number | null): string {
  if (skewMs === null) return 'not compared yet';
  return `${Math.abs(skewMs)} ms ${skewMs < 0 ? 'behind' : 'ahead of'} the server`;
}

function timeOf(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}
