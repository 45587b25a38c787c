/** What plugins may rely on in every kernel: run against the small one and against ObjectStack's own. */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Kernel, KernelOptions } from './create-kernel.js';
import type { KernelContext, KernelPlugin } from './kernel-plugin.js';

export interface KernelTraits {
  readonly name: string;
  readonly createKernel: (options: KernelOptions<KernelPlugin>) => Kernel;
}

export function describeKernel({ name, createKernel }: KernelTraits): void {
  /** A kernel without signal handlers, of which ObjectStack's would leave some behind with every test. */
  function kernelOf(...plugins: readonly KernelPlugin[]): Kernel {
    const kernel = createKernel({ plugins, config: { gracefulShutdown: false, logger: { level: 'fatal' } } });
    onTestFinished(() => kernel.shutdown());
    return kernel;
  }

  /** Plugins that write down what is done to them. */
  function recorder() {
    const transcript: string[] = [];
    const plugin = (named: string, parts: Partial<KernelPlugin> = {}): KernelPlugin => ({
      name: named,
      version: '1.0.0',
      init: () => void transcript.push(`init ${named}`),
      start: () => void transcript.push(`start ${named}`),
      destroy: () => void transcript.push(`destroy ${named}`),
      ...parts,
    });
    return { transcript, plugin };
  }

  describe(name, () => {
    it('initializes all plugins, starts all, and destroys them in reverse', async () => {
      const { transcript, plugin } = recorder();
      const kernel = kernelOf(plugin('a'), plugin('b'));
      await kernel.start();
      await kernel.shutdown();
      expect(transcript).toEqual(['init a', 'init b', 'start a', 'start b', 'destroy b', 'destroy a']);
    });

    it('waits for each plugin before it goes on', async () => {
      const { transcript, plugin } = recorder();
      const slow = plugin('slow', {
        async init() {
          for (let turn = 0; turn < 5; turn++) await Promise.resolve();
          transcript.push('init slow');
        },
      });
      await kernelOf(slow, plugin('next')).start();
      expect(transcript.slice(0, 2)).toEqual(['init slow', 'init next']);
    });

    it('puts a plugin after those it depends on, hard or soft', async () => {
      const { transcript, plugin } = recorder();
      const kernel = kernelOf(
        plugin('c', { dependencies: ['b'], optionalDependencies: ['a', 'absent'] }),
        plugin('a'),
        plugin('b', { dependencies: ['a'] }),
      );
      await kernel.start();
      expect(transcript.filter((line) => line.startsWith('init'))).toEqual(['init a', 'init b', 'init c']);
    });

    it('does not start without a plugin that another depends on', async () => {
      const { transcript, plugin } = recorder();
      await expect(kernelOf(plugin('a', { dependencies: ['absent'] })).start()).rejects.toThrow(/absent/);
      expect(transcript).toEqual([]);
    });

    it('does not start plugins that depend on each other', async () => {
      const { plugin } = recorder();
      const circle = [plugin('a', { dependencies: ['b'] }), plugin('b', { dependencies: ['a'] })];
      await expect(kernelOf(...circle).start()).rejects.toThrow();
    });

    it('destroys what had started when a plugin fails to start, and says which and why', async () => {
      const { transcript, plugin } = recorder();
      const failing = plugin('b', { start: () => Promise.reject(new Error('no database')) });
      const kernel = kernelOf(plugin('a'), failing, plugin('c'));
      await expect(kernel.start()).rejects.toThrow(/b failed to start.*no database/);
      expect([transcript, kernel.isRunning()]).toEqual([['init a', 'init b', 'init c', 'start a', 'destroy a'], false]);
    });

    it('rejects with the error of a plugin that fails to initialize', async () => {
      const { plugin } = recorder();
      const failure = new Error('no such option');
      await expect(kernelOf(plugin('a', { init: () => Promise.reject(failure) })).start()).rejects.toBe(failure);
    });

    it('destroys the others when one fails to be destroyed', async () => {
      const { transcript, plugin } = recorder();
      const kernel = kernelOf(plugin('a'), plugin('b', { destroy: () => Promise.reject(new Error('stuck')) }));
      await kernel.start();
      await kernel.shutdown();
      expect([transcript.at(-1), kernel.isRunning()]).toEqual(['destroy a', false]);
    });

    it('hands services from plugin to plugin and out', async () => {
      const { plugin } = recorder();
      const service = { greet: () => 'hello' };
      let seen: unknown;
      const kernel = kernelOf(
        plugin('a', { init: (context) => context.registerService('greeter', service) }),
        plugin('b', {
          start(context) {
            seen = context.getService('greeter');
          },
        }),
      );
      await kernel.start();
      expect([seen, kernel.getService('greeter')]).toEqual([service, service]);
    });

    it('refuses a service name that is taken, and one that is not', async () => {
      const { plugin } = recorder();
      const errors: unknown[] = [];
      const attempt = (work: () => unknown) => {
        try {
          work();
        } catch (error) {
          errors.push(error instanceof Error && /'(taken|absent)'/.exec(error.message)?.[1]);
        }
      };
      const kernel = kernelOf(
        plugin('a', {
          init(context) {
            context.registerService('taken', 1);
            attempt(() => context.registerService('taken', 2));
            attempt(() => context.getService('absent'));
            attempt(() => context.replaceService('absent', 3));
            context.replaceService('taken', 4);
          },
        }),
      );
      await kernel.start();
      attempt(() => kernel.getService('absent'));
      expect([errors, kernel.getService('taken')]).toEqual([['taken', 'absent', 'absent', 'absent'], 4]);
    });

    it('calls hooks in their order, with what they are triggered with', async () => {
      const { transcript, plugin } = recorder();
      let context: KernelContext | undefined;
      const kernel = kernelOf(
        plugin('a', {
          init(given) {
            context = given;
            given.hook('order:placed', async (id: number) => void transcript.push(`first ${id}`));
            given.hook('order:placed', (id: number) => void transcript.push(`second ${id}`));
            given.hook('kernel:ready', async () => {
              for (let turn = 0; turn < 5; turn++) await Promise.resolve();
              transcript.push('ready');
            });
            given.hook('kernel:shutdown', () => void transcript.push('shutdown'));
          },
        }),
      );
      await kernel.start();
      transcript.push('started');
      await context?.trigger('order:placed', 7);
      await kernel.shutdown();
      expect(transcript).toEqual(['start a', 'ready', 'started', 'first 7', 'second 7', 'shutdown', 'destroy a']);
    });

    it('tells whoever triggers a hook that a handler failed', async () => {
      const { plugin } = recorder();
      const failure = new Error('no stock');
      let context: KernelContext | undefined;
      const kernel = kernelOf(
        plugin('a', {
          init(given) {
            context = given;
            given.hook('order:placed', () => Promise.reject(failure));
          },
        }),
      );
      await kernel.start();
      await expect(context?.trigger('order:placed')).rejects.toBe(failure);
    });

    it('has what plugins add to it, once started', async () => {
      const { plugin } = recorder();
      const added = { getEngine: () => 'engine' };
      const kernel = kernelOf(
        plugin('a', {
          init: (context) =>
            void Object.defineProperty(context.getKernel(), 'sync', { value: added, enumerable: true }),
        }),
      );
      await kernel.start();
      expect([kernel, kernel.host]).toEqual([expect.objectContaining({ sync: added }), expect.anything()]);
    });

    it('lets a later plugin take the place of one of the same name', async () => {
      const { transcript, plugin } = recorder();
      const earlier = plugin('same', { init: () => void transcript.push('init earlier') });
      await kernelOf(earlier, plugin('same')).start();
      expect(transcript).toEqual(['init same', 'start same']);
    });

    it('starts once, however often it is asked', async () => {
      const { transcript, plugin } = recorder();
      const kernel = kernelOf(plugin('a'));
      await Promise.all([kernel.start(), kernel.start()]);
      await kernel.start();
      expect(transcript).toEqual(['init a', 'start a']);
    });

    it('is shut down by leaving the block that holds it, also when it never started', async () => {
      const { transcript, plugin } = recorder();
      const never = kernelOf(plugin('never'));
      await never[Symbol.asyncDispose]();
      const kernel = kernelOf(plugin('a'));
      await kernel.start();
      await kernel[Symbol.asyncDispose]();
      await kernel[Symbol.asyncDispose]();
      expect(transcript).toEqual(['init a', 'start a', 'destroy a']);
    });

    it('says so when it is used before it is started', () => {
      expect(() => kernelOf().getService('data')).toThrow('The kernel is not started. Await kernel.start() first.');
    });

    it('refuses what is no plugin and options it does not know', () => {
      // Casts, because what is proved is what happens to an application without types.
      const noPlugins = [{ name: 'a' }, { init() {} }, 'a', null] as unknown as readonly KernelPlugin[];
      const unknown = { plugins: [], pluggins: [] } as KernelOptions<KernelPlugin>;
      for (const plugin of noPlugins) {
        const problem = 'plugins[0] is no plugin. A plugin has a name and an init method.';
        expect(() => createKernel({ plugins: [plugin] })).toThrow(problem);
      }
      expect(() => createKernel(unknown)).toThrow("createKernel knows no option 'pluggins'.");
    });
  });
}
