import { useSyncExternalStore } from 'react';
import type { NetworkSwitch } from './network-switch.js';

/** Takes the device off the network and back. */
export function NetworkToggle({ network }: { readonly network: NetworkSwitch }) {
  const isOn = useSyncExternalStore(network.subscribe, network.getSnapshot);
  return (
    <button type="button" role="switch" aria-checked={isOn} className="switch" onClick={network.flip}>
      <span>Online</span>
      <span className="switch-track" aria-hidden="true" />
    </button>
  );
}
