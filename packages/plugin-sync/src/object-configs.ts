/** The configuration of every object: by name if it has one, else the default. */
import { MAX_OBJECTS, type SyncConfig, type SyncPushRequest } from '@objectql/sync-types';
import { type ObjectConfig, resolveConfig } from './resolve-config.js';
import { SyncUsageError } from './sync-usage-error.js';

export interface ObjectConfigsOptions {
  /**
   * For objects without a configuration of their own, and for keys that one leaves out. Default: enabled, unless
   * `objects` names the objects that are.
   */
  readonly defaultConfig?: SyncConfig | undefined;
  /** By object name, as read from `*.object.yml`. */
  readonly objects?: ReadonlyMap<string, SyncConfig> | Readonly<Record<string, SyncConfig>> | undefined;
}

/** The part of a request that says which changes are wanted. */
export type WantedChanges = Pick<SyncPushRequest, 'pull' | 'objects' | 'except'>;

export class ObjectConfigs {
  /** Which changes to ask for: all except those of some objects, only those of some objects, or none. */
  readonly wanted: WantedChanges;
  readonly #default: ObjectConfig;
  readonly #byName: ReadonlyMap<string, ObjectConfig>;

  constructor({ defaultConfig, objects }: ObjectConfigsOptions) {
    this.#default = resolveConfig(defaultConfig ?? { enabled: objects === undefined }, 'defaultConfig');
    if (Array.isArray(objects))
      throw new SyncUsageError('INVALID_CONFIG', 'objects must be { task: { enabled: true } }.');
    const entries = objects instanceof Map ? [...objects] : Object.entries(objects ?? {});
    const resolved = entries.map(
      ([name, config]) => [name, resolveConfig({ ...defaultConfig, ...config }, `objects.${name}`)] as const,
    );
    this.#byName = new Map(resolved);
    const isPulled = pulls(this.#default);
    const others = resolved.flatMap(([name, config]) => (pulls(config) === isPulled ? [] : name));
    if (others.length > MAX_OBJECTS) {
      const message = `objects: at most ${MAX_OBJECTS} may differ from defaultConfig in whether they are pulled.`;
      throw new SyncUsageError('INVALID_CONFIG', message);
    }
    if (others.length > 0) this.wanted = isPulled ? { except: others } : { objects: others };
    else this.wanted = isPulled ? {} : { pull: false };
  }

  /** True when any object takes part in sync. */
  get isEnabled(): boolean {
    return this.#default.isEnabled || [...this.#byName.values()].some(({ isEnabled }) => isEnabled);
  }

  of(objectName: string): ObjectConfig {
    return this.#byName.get(objectName) ?? this.#default;
  }

  /** Why mutations of this object may not be recorded here; `undefined` if they may. */
  refusalOf(objectName: string): SyncUsageError | undefined {
    const { isEnabled, direction } = this.of(objectName);
    if (!isEnabled)
      return new SyncUsageError('NOT_ENABLED', `${objectName} takes no part in sync. Set sync.enabled to true for it.`);
    return direction === 'pull-only'
      ? new SyncUsageError('READ_ONLY', `${objectName} is pull-only: it is changed on the server alone.`)
      : undefined;
  }

  /** True when records of this object are kept here; those of push-only objects are dropped once they are settled. */
  keepsRecordsOf(objectName: string): boolean {
    return pulls(this.of(objectName));
  }

  get isPulling(): boolean {
    return this.wanted.pull !== false;
  }
}

function pulls({ isEnabled, direction }: ObjectConfig): boolean {
  return isEnabled && direction !== 'push-only';
}
