/** The type of a kernel, by the plugins it was given. */
import type { Kernel, KernelPlugin } from '@objectql/sync-types/kernel';
import type { SyncProtocol, SyncProtocolPlugin } from '../sync-protocol-plugin.js';

/** A kernel, with `syncProtocol` once started if one of its plugins is the `SyncProtocolPlugin`. */
export type SyncProtocolKernel<Plugin extends KernelPlugin> = Kernel &
  ([Extract<Plugin, SyncProtocolPlugin>] extends [never] ? unknown : { readonly syncProtocol: SyncProtocol });
