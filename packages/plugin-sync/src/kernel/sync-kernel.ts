/** The type of a kernel, by the plugins it was given. */
import type { Kernel, KernelPlugin } from '@objectql/sync-types/kernel';
import type { SyncPlugin } from '../sync-plugin.js';

/** A kernel, with `sync` once started if one of its plugins is the `SyncPlugin`. */
export type SyncKernel<Plugin extends KernelPlugin> = Kernel &
  ([Extract<Plugin, SyncPlugin>] extends [never] ? unknown : { readonly sync: SyncPlugin });
