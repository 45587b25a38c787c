/** What tabs tell each other as it is committed: another tab may still run the last release. */
import { expect, test } from 'vitest';
import type { EachOf, Whole } from '../../test/fixtures/whole.js';
import { sampleWholeConflict, sampleWholeMutation } from '../../test/fixtures/whole-samples.js';
import type { MutationOutcome } from '../answer/mutation-outcome.js';
import type { SyncState } from '../cycle/sync-state.js';
import type { SyncFacts } from '../sync-status.js';
import { type Envelope, groupName, type TabEvent, type TabMessage, type Wish } from './tab-message.js';

const STATES: EachOf<SyncState, 'at'> = {
  idle: { at: 'idle' },
  waiting: { at: 'waiting', until: 2, reason: 'debounce', since: 1, failures: 0 },
  syncing: { at: 'syncing', failures: 0 },
  offline: { at: 'offline', failures: 1 },
  'needs-auth': { at: 'needs-auth', why: 'unauthenticated' },
  paused: { at: 'paused' },
  disabled: { at: 'disabled' },
  closed: { at: 'closed' },
};

const FACTS: Whole<SyncFacts> = {
  clockSkewMs: 1,
  live: 'open',
  progress: { received: 1 },
  lastError: 'lost',
  lastErrorCode: 'FULL',
};

const OUTCOMES: EachOf<MutationOutcome, 'status'> = {
  applied: { status: 'applied', version: 1, droppedFields: ['title'] },
  conflict: { status: 'conflict', id: 'm1', parkedAt: 1, conflict: sampleWholeConflict(), copy: { title: 'Mine' } },
  rejected: { status: 'rejected', code: 'FORBIDDEN', reason: 'not yours' },
};

const EVENTS: EachOf<TabEvent, 'on'> = {
  onSyncStart: { on: 'onSyncStart', told: undefined },
  // The wire's golden messages hold what is in an answer.
  onSyncComplete: {
    on: 'onSyncComplete',
    told: {
      results: [],
      serverChanges: [],
      checkpoint: 'c',
      protocol: 2,
      hasMore: false,
      serverTime: '2026-01-01T00:00:00.000Z',
      limits: { maxBodyBytes: 1, maxMutations: 1 },
      reset: 'scope',
    },
  },
  onConflict: { on: 'onConflict', told: [sampleWholeConflict()] },
  onDropped: { on: 'onDropped', told: [{ mutation: sampleWholeMutation(), droppedFields: ['title'] }] },
  onSyncError: { on: 'onSyncError', told: 'lost' },
};

const WISHES: EachOf<Wish, 'do'> = { sync: { do: 'sync' }, outcome: { do: 'outcome', mutationId: 'm1' } };

type Samples<Type extends TabMessage['type']> = readonly Whole<Extract<TabMessage, { readonly type: Type }>>[];

const MESSAGES: { readonly [Type in TabMessage['type']]: Samples<Type> } = {
  asked: [{ type: 'asked' }],
  stands: Object.values(STATES).map((state) => ({
    type: 'stands',
    term: 't1',
    state,
    facts: FACTS,
    isPaused: false,
    isSeen: true,
  })),
  writing: [{ type: 'writing' }],
  wrote: [
    { type: 'wrote', revision: 1, changed: [{ objectName: 'task', recordId: 't1' }] },
    { type: 'wrote', revision: 2, changed: 'all' },
  ],
  settled: [{ type: 'settled', outcomes: Object.values(OUTCOMES).map((outcome) => ['m1', outcome] as const) }],
  happened: Object.values(EVENTS).map((event) => ({ type: 'happened', event })),
  told: [
    { type: 'told', what: 'paused' },
    { type: 'told', what: 'resumed' },
    { type: 'told', what: 'cancelled' },
  ],
  wants: Object.values(WISHES).map((wish) => ({ type: 'wants', id: 'w1', wish })),
  done: [{ type: 'done', id: 'w1', value: null, error: { code: 'CLOSED', message: 'The client is closed.' } }],
};

test('what tabs tell each other is as it is committed', async () => {
  const envelope: Whole<Omit<Envelope, 'message'>> = { from: 'tab-1' };
  await expect(
    `${JSON.stringify({ name: groupName('app'), envelope, messages: MESSAGES }, null, 2)}\n`,
    'The messages of tabs changed. After an update of the app, an old tab must still understand a new one, and the other ' +
      'way round: add only messages and properties that a tab can do without, or raise MESSAGES_VERSION. Then run vitest with -u.',
  ).toMatchFileSnapshot('../../golden/tab-messages.json');
});
