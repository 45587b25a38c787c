/** The part of ObjectStack's plugin contract that sync uses; both kernels pass the same tests of it. */

/** Where plugins write what an operator should read. */
export interface KernelLogger {
  debug(message: string, ...details: unknown[]): void;
  info(message: string, ...details: unknown[]): void;
  warn(message: string, ...details: unknown[]): void;
  error(message: string, ...details: unknown[]): void;
}

/** What is called when a hook is triggered. */
// biome-ignore lint/suspicious/noExplicitAny: who triggers a hook and who handles it agree on the arguments by its name.
export type HookHandler = (...args: any[]) => void | Promise<void>;

/** What a kernel gives its plugins. */
export interface KernelContext {
  readonly logger: KernelLogger;
  /** Offers `service` to other plugins. Throws when the name is taken. */
  registerService(name: string, service: unknown): void;
  /** Replaces a service with another implementation. Throws when there is none. */
  replaceService<T>(name: string, implementation: T): void;
  /** A service another plugin registered. Throws when there is none. */
  getService<T>(name: string): T;
  /** All services by name. */
  getServices(): Map<string, unknown>;
  /** Calls `handler` whenever `name` is triggered; the kernel itself triggers `kernel:ready` and `kernel:shutdown`. */
  hook(name: string, handler: HookHandler): void;
  /** Calls the handlers of `name` one after the other; the first that fails ends it. */
  trigger(name: string, ...args: unknown[]): Promise<void>;
  /**
   * The kernel itself, to which a plugin may add enumerable properties; `createKernel`'s result has them once started.
   */
  getKernel(): object;
}

/** A plugin: every one is initialized before the first starts, and destroyed in reverse order. */
export interface KernelPlugin {
  readonly name: string;
  /** Semantic version. */
  readonly version?: string | undefined;
  /** Names of plugins that come before this one; a missing one stops the start. */
  readonly dependencies?: readonly string[] | undefined;
  /** Names of plugins that come before this one if they are present. */
  readonly optionalDependencies?: readonly string[] | undefined;
  /** Services that `init` always registers. */
  readonly providesServices?: readonly string[] | undefined;
  /** Registers services; those of later plugins do not exist yet. */
  init(context: KernelContext): void | Promise<void>;
  start?(context: KernelContext): void | Promise<void>;
  destroy?(): void | Promise<void>;
}

/** What both kernels can do; it has the shape of ObjectStack's `ObjectKernel`. */
export interface KernelHost {
  /** Adds a plugin, before `bootstrap`. A later plugin replaces an earlier one of the same name. */
  use(plugin: KernelPlugin): Promise<unknown>;
  /** Initializes all plugins, then starts them. When one fails to start, those already started are destroyed. */
  bootstrap(): Promise<void>;
  /** Destroys the plugins in reverse order. */
  shutdown(): Promise<void>;
  getService<T>(name: string): T;
  isRunning(): boolean;
}
