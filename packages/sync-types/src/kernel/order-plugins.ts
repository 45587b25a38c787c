/** The order in which plugins are initialized and started. */
import type { KernelPlugin } from './kernel-plugin.js';

/** Each plugin after those it depends on, otherwise in the given order. Throws for a missing one and for a cycle. */
export function orderPlugins(plugins: ReadonlyMap<string, KernelPlugin>): readonly KernelPlugin[] {
  const ordered = new Set<KernelPlugin>();
  const open = new Set<string>();

  function place(plugin: KernelPlugin): void {
    if (ordered.has(plugin)) return;
    if (open.has(plugin.name)) throw new Error(`Plugin ${plugin.name} depends on itself, by way of others.`);
    open.add(plugin.name);
    for (const name of plugin.dependencies ?? []) place(required(name, plugin));
    for (const name of plugin.optionalDependencies ?? []) {
      const dependency = plugins.get(name);
      if (dependency) place(dependency);
    }
    ordered.add(plugin);
  }

  function required(name: string, dependent: KernelPlugin): KernelPlugin {
    const dependency = plugins.get(name);
    if (!dependency) throw new Error(`Plugin ${dependent.name} depends on ${name}. Add that plugin to the kernel.`);
    return dependency;
  }

  for (const plugin of plugins.values()) place(plugin);
  return [...ordered];
}
