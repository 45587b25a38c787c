/**
 * A host for plugins where ObjectStack's kernel cannot run: in browsers, whose bundlers cannot handle the Node modules
 * it imports. It has services, hooks and the life cycle of plugins, and nothing else of that kernel: no service
 * factories, no start-up timeouts, no signal handlers.
 */
import { consoleLogger } from './console-logger.js';
import type { HookHandler, KernelContext, KernelHost, KernelLogger, KernelPlugin } from './kernel-plugin.js';
import { orderPlugins } from './order-plugins.js';

/**
 * ```text
 * idle ──bootstrap──▶ initializing ──▶ running ──shutdown──▶ stopping ──▶ stopped
 *                          └── a plugin fails ──────────────────────────────▲
 * ```
 */
type State = 'idle' | 'initializing' | 'running' | 'stopping' | 'stopped';

export class SmallKernel implements KernelHost {
  readonly #plugins = new Map<string, KernelPlugin>();
  readonly #services = new Map<string, unknown>();
  readonly #handlersByHook = new Map<string, HookHandler[]>();
  readonly #context: KernelContext;
  #state: State = 'idle';

  constructor(logger: KernelLogger = consoleLogger) {
    this.#context = this.#createContext(logger);
  }

  async use(plugin: KernelPlugin): Promise<this> {
    if (this.#state !== 'idle') throw new Error(`Plugin ${plugin.name} comes too late: the kernel is ${this.#state}.`);
    if (this.#plugins.has(plugin.name))
      this.#context.logger.warn(`Plugin ${plugin.name} takes the place of an earlier one.`);
    this.#plugins.set(plugin.name, plugin);
    return this;
  }

  async bootstrap(): Promise<void> {
    if (this.#state !== 'idle') throw new Error(`The kernel cannot be started: it is ${this.#state}.`);
    this.#state = 'initializing';
    try {
      const plugins = orderPlugins(this.#plugins);
      for (const plugin of plugins) await plugin.init(this.#context);
      await this.#start(plugins);
      for (const hook of ['kernel:ready', 'kernel:bootstrapped', 'kernel:listening']) await this.#trigger(hook, []);
    } catch (error) {
      this.#state = 'stopped';
      throw error;
    }
  }

  async shutdown(): Promise<void> {
    if (this.#state === 'stopping' || this.#state === 'stopped') return;
    if (this.#state !== 'running') throw new Error('The kernel cannot be shut down: it is not running.');
    this.#state = 'stopping';
    for (const handler of this.#handlersByHook.get('kernel:shutdown') ?? []) {
      await this.#attempt('A handler of kernel:shutdown', async () => handler());
    }
    await this.#destroy([...this.#plugins.values()]);
    this.#state = 'stopped';
  }

  getService<T>(name: string): T {
    if (!this.#services.has(name)) throw new Error(`Service '${name}' not found. Add the plugin that registers it.`);
    // Names carry no types; the caller knows what the service is.
    return this.#services.get(name) as T;
  }

  isRunning(): boolean {
    return this.#state === 'running';
  }

  async #start(plugins: readonly KernelPlugin[]): Promise<void> {
    this.#state = 'running';
    const started: KernelPlugin[] = [];
    for (const plugin of plugins) {
      try {
        await plugin.start?.(this.#context);
        if (plugin.start) started.push(plugin);
      } catch (cause) {
        await this.#destroy(started);
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`Plugin ${plugin.name} failed to start: ${why}`, { cause });
      }
    }
  }

  /** In reverse order. A plugin that fails does not keep the others from releasing what they hold. */
  async #destroy(plugins: readonly KernelPlugin[]): Promise<void> {
    for (const plugin of plugins.toReversed()) {
      await this.#attempt(`Plugin ${plugin.name}`, async () => plugin.destroy?.());
    }
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#context.logger.error(`${what} failed while the kernel was shut down.`, error);
    }
  }

  async #trigger(name: string, args: readonly unknown[]): Promise<void> {
    for (const handler of this.#handlersByHook.get(name) ?? []) await handler(...args);
  }

  #createContext(logger: KernelLogger): KernelContext {
    return {
      logger,
      getKernel: () => this,
      getService: (name) => this.getService(name),
      getServices: () => new Map(this.#services),
      registerService: (name, service) => {
        if (this.#services.has(name)) throw new Error(`Service '${name}' is registered already.`);
        this.#services.set(name, service);
      },
      replaceService: (name, implementation) => {
        if (!this.#services.has(name)) throw new Error(`Service '${name}' not found, so it cannot be replaced.`);
        this.#services.set(name, implementation);
      },
      hook: (name, handler) => {
        this.#handlersByHook.set(name, [...(this.#handlersByHook.get(name) ?? []), handler]);
      },
      trigger: (name, ...args) => this.#trigger(name, args),
    };
  }
}
