/** Lets a person take one device off the network without touching the real one: in all of its tabs, until it is put back. */
import { type Platform, systemPlatform } from '@objectql/plugin-sync';

export class NetworkSwitch {
  readonly #key: string;
  readonly #listeners = new Set<() => void>();
  #isOn: boolean;

  /** `key` names the device in the browser's memory. */
  constructor(key: string) {
    this.#key = key;
    this.#isOn = this.#read();
    // Tells of other tabs only.
    window.addEventListener('storage', (event) => {
      if (event.key === key) this.#turn(this.#read());
    });
  }

  /** The system's platform, which has a network only while the switch is on. */
  readonly platform: Platform = {
    ...systemPlatform,
    isOnline: () => this.#isOn && systemPlatform.isOnline(),
    onConnectivity: (listener) => {
      const stops = [
        this.subscribe(() => listener(this.platform.isOnline())),
        // What the system says, and not what it knows: it also asks for a try where a browser may be wrong.
        systemPlatform.onConnectivity((isOnline) => listener(this.#isOn && isOnline)),
      ];
      return () => stops.forEach((stop) => void stop());
    },
  };

  readonly getSnapshot = (): boolean => this.#isOn;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  readonly flip = (): void => {
    localStorage.setItem(this.#key, this.#isOn ? 'off' : 'on');
    this.#turn(!this.#isOn);
  };

  #read(): boolean {
    return localStorage.getItem(this.#key) !== 'off';
  }

  #turn(isOn: boolean): void {
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    for (const listener of [...this.#listeners]) listener();
  }
}
