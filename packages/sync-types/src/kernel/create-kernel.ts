/** `createKernel` for both libraries: each adds the types of its own plugin and chooses its kernel. */
import type { KernelHost, KernelPlugin } from './kernel-plugin.js';
import { SmallKernel } from './small-kernel.js';

/** Options of ObjectStack's kernel; see its documentation. The small kernel of browsers ignores them. */
export interface ObjectStackConfig {
  /** Default `{ level: 'warn' }`. */
  readonly logger?: { readonly level?: 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent' };
  /** Whether SIGINT, SIGTERM and SIGQUIT shut the kernel down and end the process. Default true. */
  readonly gracefulShutdown?: boolean;
  /** Milliseconds. */
  readonly shutdownTimeout?: number;
  /** Milliseconds a plugin may take to initialize, and again to start. */
  readonly defaultStartupTimeout?: number;
  /** Default true unless a plugin provides the service `data`, without which ObjectStack refuses to start. */
  readonly skipSystemValidation?: boolean;
}

/** The plugins of a kernel, in any order, and its configuration. */
export interface KernelOptions<Plugin extends KernelPlugin> {
  readonly plugins: readonly Plugin[];
  readonly config?: ObjectStackConfig;
}

/** A kernel as an application starts and ends it. */
export interface Kernel extends AsyncDisposable {
  /** Initializes and starts the plugins, once. When one fails to start, those that had started are destroyed. */
  start(): Promise<void>;
  /** Destroys the plugins in reverse order. Does nothing unless the kernel is running. */
  shutdown(): Promise<void>;
  isRunning(): boolean;
  /** A service that a plugin registered. Throws when there is none. */
  getService<T>(name: string): T;
  /** The kernel underneath, once started: ObjectStack's `ObjectKernel` in Node, a `SmallKernel` elsewhere. */
  readonly host: KernelHost;
}

/** A kernel that needs nothing but JavaScript. */
export function createSmallKernel(options: KernelOptions<KernelPlugin>): Kernel {
  return createKernelIn(options, async () => new SmallKernel());
}

/** The part of `@objectstack/runtime` that sync needs. */
export interface ObjectStackRuntime {
  readonly ObjectKernel: new (config: ObjectStackConfig) => KernelHost;
}

/** ObjectStack's own kernel; its package is loaded at `start`. */
export function createObjectStackKernel(
  options: KernelOptions<KernelPlugin>,
  loadRuntime: () => Promise<ObjectStackRuntime>,
): Kernel {
  return createKernelIn(options, async () => {
    const { ObjectKernel } = await loadRuntime().catch((cause: unknown) => {
      const advice = 'Install it beside this package: npm install @objectstack/runtime@17';
      throw new Error(`createKernel needs @objectstack/runtime, which cannot be loaded. ${advice}`, { cause });
    });
    const providesData = options.plugins.some(({ providesServices }) => providesServices?.includes('data'));
    return new ObjectKernel({ logger: { level: 'warn' }, skipSystemValidation: !providesData, ...options.config });
  });
}

function createKernelIn(options: KernelOptions<KernelPlugin>, createHost: () => Promise<KernelHost>): Kernel {
  checkOptions(options);
  let host: KernelHost | undefined;
  let starting: Promise<void> | undefined;

  async function start(): Promise<void> {
    host = await createHost();
    for (const plugin of options.plugins) await host.use(plugin);
    const before = new Set(Object.keys(host));
    await host.bootstrap();
    const added = Object.entries(host).filter(([name]) => !before.has(name) && !(name in kernel));
    Object.assign(kernel, Object.fromEntries(added));
  }

  function startedHost(): KernelHost {
    if (!host) throw new Error('The kernel is not started. Await kernel.start() first.');
    return host;
  }

  const kernel: Kernel = {
    start: () => {
      starting ??= start();
      return starting;
    },
    shutdown: async () => {
      if (host?.isRunning()) await host.shutdown();
    },
    isRunning: () => host?.isRunning() ?? false,
    getService: (name) => startedHost().getService(name),
    get host() {
      return startedHost();
    },
    [Symbol.asyncDispose]: () => kernel.shutdown(),
  };
  return kernel;
}

function checkOptions(options: KernelOptions<KernelPlugin>): void {
  const unknown = Object.keys(options).find((name) => name !== 'plugins' && name !== 'config');
  if (unknown) throw new TypeError(`createKernel knows no option '${unknown}'. It takes plugins and config.`);
  for (const [index, plugin] of options.plugins.entries()) {
    // Checked although typed: plain JavaScript has no compiler to report it.
    const { name, init } = (plugin ?? {}) as Partial<KernelPlugin>;
    if (typeof name !== 'string' || typeof init !== 'function') {
      throw new TypeError(`createKernel: plugins[${index}] is no plugin. A plugin has a name and an init method.`);
    }
  }
}
