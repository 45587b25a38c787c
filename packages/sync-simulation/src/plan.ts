/** The contents of a schedule: a world with its faults, and the actions in it. Plain JSON, so that it can be kept. */
import type { RecordId, StrategyName } from '@objectql/sync-types';

export type ObjectName = 'task' | 'note' | 'project';

/** How one object's conflicts are decided. */
export interface ObjectPlan {
  readonly strategy: StrategyName;
  /** Whether the server knows the strategy; otherwise the clients decide. */
  readonly isKnownToServer: boolean;
  readonly conflictFields: readonly string[] | null;
}

/** Probabilities of faults, each in [0, 1], and other values drawn once for a world. 0 turns a fault off. */
export interface Faults {
  readonly loseRequest: number;
  readonly loseAnswer: number;
  readonly cutAnswer: number;
  /** The answer arrives as something else. */
  readonly garbleAnswer: number;
  /** The request arrives once more, up to an hour later. */
  readonly duplicate: number;
  /** A request or an answer takes up to two minutes. */
  readonly longDelay: number;
  /** A mutation gets no request through, because a firewall dislikes what it says. */
  readonly forbid?: number;
  /** A storage or store operation takes some time, so that others come in between. */
  readonly slowStorage: number;
  readonly slowStore: number;
  /** A storage or store operation throws. */
  readonly failStorage: number;
  readonly failStore: number;
}

export interface WorldPlan {
  readonly devices: number;
  /** Devices `0` and `1` belong to one user, the others to one each. */
  readonly isFirstUserShared: boolean;
  /** Keeps the records in the sync store, in the application's database in the same transaction, or beside it. */
  readonly resolver: 'store' | 'transactional' | 'plain';
  readonly objects: Readonly<Record<ObjectName, ObjectPlan>>;
  readonly faults: Faults;
  readonly retentionMs: number;
  readonly pageRecords: number;
  readonly maxMutations: number;
  readonly batchSize: number;
  readonly debounceMs: number;
  /** How far each device's clock is ahead at first. */
  readonly skewsMs: readonly number[];
  /** Whether the transport returns an error's body as if it were an answer, as the published example does. */
  readonly isErrorAnswered: boolean;
  /** Whether the application merges conflicts before they are parked. */
  readonly isMerging: boolean;
  /** Whether the application has rules about who may read and write. */
  readonly isAuthorized: boolean;
  /** Fields that are hidden at first; absent means none. */
  readonly hiddenFields?: readonly HiddenField[];
  /** How many server processes share the one store; absent means 1. */
  readonly servers?: number;
  /** Which devices have a local data engine; absent means none. */
  readonly engines?: EnginePlan;
  /** Which devices have live updates; absent means none. */
  readonly live?: LivePlan;
  /** Which devices are browsers with tabs that know of each other; absent means none. */
  readonly tabs?: TabsPlan;
}

/** The tabs of a world. */
export interface TabsPlan {
  /** How many tabs each of the first devices has; 0 for a device without. Further ones follow behind all devices. */
  readonly counts: readonly number[];
  /** The probability that a message between tabs, or the news that a tab is gone, takes long. */
  readonly late: number;
  /** How long an operation of their storage takes at most, before it is done and after. */
  readonly storageMs: number;
  /** The probability that what a tab writes is stored without the tab hearing so; absent means 0. */
  readonly untold?: number;
  /**
   * The probability that a tab loads an older version of the app, whose messages this one does not understand; absent
   * means 0.
   */
  readonly older?: number;
}

/** How a tab stands still: all at once, or told so before by its browser, and hearing messages or not. */
export type TabStandstill = 'hangs' | 'frozen' | 'frozen and deaf';

/** ObjectStack's names of what becomes of a record whose parent is deleted. */
export type DeleteBehavior = 'cascade' | 'set_null' | 'restrict';

/** The live updates of a world. */
export interface LivePlan {
  /** By device, those that come later included; absent means that it has none. */
  readonly ways: readonly (StreamWay | null)[];
  /** Probabilities that a stream is cut, or falls silent, at one of its words. */
  readonly cut: number;
  readonly silence: number;
}

/** What is between a device and the server for good: nothing, or a proxy that holds streams back, or ends them early. */
export type StreamWay = 'free' | 'holds' | 'ends';

/** The local data engines of a world. */
export interface EnginePlan {
  /** The devices that have one. */
  readonly devices: readonly number[];
  /** Whether their hooks write one record along with another. */
  readonly isHooked: boolean;
  /** Probabilities that one of their operations fails, or takes its time. */
  readonly fail: number;
  readonly slow: number;
  /** True if they hold records from before sync was switched on. */
  readonly isOlder?: boolean;
  /** What they refuse to anybody: values by their definitions, or changes by a hook; absent means nothing. */
  readonly refuses?: 'long values' | 'equal values' | 'by hook';
  /** What becomes of tasks when their project is deleted, and of notes when their task is; absent means nothing. */
  readonly onDelete?: Readonly<Record<string, DeleteBehavior>>;
  /** Whether the server does the same to them. */
  readonly isServerCascading?: boolean;
  /** How they sync projects. */
  readonly projects: 'bidirectional' | 'push-only' | 'pull-only';
}

/** A field that a user may neither see nor write. */
export interface HiddenField {
  readonly user: string;
  readonly objectName: ObjectName;
  readonly field: string;
}

interface Timed {
  /** Milliseconds after the previous action. */
  readonly afterMs: number;
}

/** One change a user makes. */
export interface Edit {
  readonly objectName: ObjectName;
  readonly recordId: RecordId;
  readonly wish: 'update' | 'delete';
  readonly fields: readonly string[];
  /** The written value is unique to this number, or one of a few values that others write as well. */
  readonly value: number;
  readonly isCommon: boolean;
  readonly special: 'none' | 'poison' | 'refused' | 'forbidden' | 'private';
  /** The id of the record's new parent; absent if it is not written. */
  readonly parent?: string;
}

/** A step of the schedule. `device` is taken modulo the number of devices. */
export type Action = Timed &
  /** The user makes these changes one after another. */
  (
    | { readonly do: 'edit'; readonly device: number; readonly edits: readonly Edit[] }
    | {
        readonly do: 'sync' | 'goOffline' | 'goOnline' | 'crash' | 'clear' | 'pause';
        readonly device: number;
      }
    /** Another device starts from a copy of this one; another tab opens on its storage. */
    | { readonly do: 'fork' | 'openTab'; readonly device: number }
    /** The browser loses the device's database, and its copy restores everything except the records. */
    | { readonly do: 'loseRecords'; readonly device: number }
    /**
     * The device's power is cut. It keeps `share` of what the server told it since it stored something of its user's.
     */
    | { readonly do: 'cutPower'; readonly device: number; readonly share: number }
    /** A backup of the device is made; the device goes back to it. */
    | { readonly do: 'backUp' | 'fallBack'; readonly device: number }
    /** For a minute the device's requests carry somebody else's session. */
    | { readonly do: 'mixUpSession'; readonly device: number }
    /** Nobody looks at the device any more, or somebody does again. */
    | { readonly do: 'hide' | 'show'; readonly device: number }
    /** Nothing in this tab goes on for a while. */
    | { readonly do: 'stopTab'; readonly device: number; readonly how: TabStandstill; readonly forMs: number }
    /** The tab is closed, and opened again after a while. `isTold` if its app closes the client as it leaves. */
    | { readonly do: 'closeTab'; readonly device: number; readonly isTold: boolean; readonly forMs: number }
    /** The user signs out in this tab; the other tabs reload once they have noticed. */
    | { readonly do: 'signOut'; readonly device: number }
    /** The device's session expires; a minute later its user signs in again. */
    | { readonly do: 'expireSession'; readonly device: number }
    /** The device crashes at its nth next storage operation, before or after the operation. */
    | {
        readonly do: 'crashAt';
        readonly device: number;
        readonly operation: number;
        readonly when: 'before' | 'after';
      }
    | { readonly do: 'setClock'; readonly device: number; readonly aheadMs: number }
    | { readonly do: 'resolve'; readonly device: number; readonly choice: 'mine' | 'theirs' | 'merged' }
    | { readonly do: 'answerDeadLetter'; readonly device: number; readonly choice: 'retry' | 'discard' }
    | { readonly do: 'crashServer'; readonly downMs: number }
    /** A server process is stopped, as for a deployment. */
    | { readonly do: 'stopServer'; readonly downMs: number }
    | {
        readonly do: 'crashServerAt';
        readonly operation: number;
        readonly when: 'before' | 'after';
        readonly downMs: number;
      }
    /** The server goes back to its state after `share` of its commits. */
    | { readonly do: 'restore'; readonly share: number }
    | { readonly do: 'prune' }
    | {
        readonly do: 'writePastSync';
        readonly objectName: ObjectName;
        readonly recordId: RecordId;
        readonly wish: 'update' | 'delete';
        readonly fields: readonly string[];
        readonly value: number;
      }
    | { readonly do: 'grant'; readonly device: number; readonly objectName: ObjectName; readonly isGranted: boolean }
    | {
        readonly do: 'hideField';
        readonly device: number;
        readonly objectName: ObjectName;
        readonly field: string;
        readonly isHidden: boolean;
      }
    /** The application makes a mutation with the id of another device's, the nth that was applied. */
    | { readonly do: 'reuseId'; readonly device: number; readonly nth: number; readonly edit: Edit }
    /** Sync ends on the device's engine; its app goes on writing for a while, and starts anew. */
    | { readonly do: 'endSync'; readonly device: number }
    /** For a minute somebody else uses the device's engine, with a storage of their own, and changes something. */
    | { readonly do: 'signIn'; readonly device: number; readonly edits: readonly Edit[] }
    /** For a while, this share of the commits fails that sync makes in the device's engine by itself. */
    | { readonly do: 'failCommits'; readonly device: number; readonly forMs: number; readonly share: number }
    /** The device's power is cut, and its engine loses the last commits. */
    | { readonly do: 'cutEngine'; readonly device: number; readonly commits: number }
    | { readonly do: 'setLimits'; readonly pageRecords: number; readonly maxMutations: number }
  );

/** One schedule, whole. */
export interface Plan {
  readonly seed: number;
  readonly world: WorldPlan;
  readonly actions: readonly Action[];
}
