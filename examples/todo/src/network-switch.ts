/** Lets a person take one device off the network without touching the real one. */
import { type Platform, systemPlatform } from '@objectql/plugin-sync';

export class NetworkSwitch {
  #isOn = true;
  readonly #listeners = new Set<() => void>();

  /** The system's platform, which has a network only while the switch is on. */
  readonly platform: Platform = {
    ...systemPlatform,
    isOnline: () => this.#isOn && systemPlatform.isOnline(),
    onConnectivity: (listener) => {
      const tell = () => listener(this.platform.isOnline());
      const stops = [this.subscribe(tell), systemPlatform.onConnectivity(tell)];
      return () => stops.forEach((stop) => void stop());
    },
  };

  readonly getSnapshot = (): boolean => this.#isOn;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly flip = (): void => {
    this.#isOn = !this.#isOn;
    for (const listener of [...this.#listeners]) listener();
  };
}
