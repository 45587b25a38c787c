/**
 * Tabs as users have them, which can be hidden and frozen. Playwright makes its own pages believe that somebody looks at them, so
 * that the browser does neither; these are driven by the protocol of the browser's developer tools alone.
 */
import type { Browser, CDPSession } from 'playwright-core';

/** What opens the tabs of one person, who share their storage. */
export async function realTabs(browser: Browser): Promise<(url: string) => Promise<RealTab>> {
  const devTools = await browser.newBrowserCDPSession();
  const { browserContextId } = await devTools.send('Target.createBrowserContext');
  return async (url) => {
    const { targetId } = await devTools.send('Target.createTarget', { url, browserContextId });
    const { sessionId } = await devTools.send('Target.attachToTarget', { targetId });
    return new RealTab(devTools, sessionId);
  };
}

interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
}

export class RealTab {
  readonly #devTools: CDPSession;
  readonly #sessionId: string;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #lastId = 0;

  constructor(devTools: CDPSession, sessionId: string) {
    this.#devTools = devTools;
    this.#sessionId = sessionId;
    devTools.on('Target.receivedMessageFromTarget', ({ sessionId: from, message }) => {
      if (from !== sessionId) return;
      // What the browser says of a tab, by its own protocol.
      const reply = JSON.parse(message) as Reply;
      if (reply.id !== undefined) this.#waiting.get(reply.id)?.(reply);
    });
  }

  /** The value of an expression, awaited. */
  async evaluate(expression: string): Promise<unknown> {
    const parameters = { expression, awaitPromise: true, returnByValue: true };
    // A cast: this is what the protocol says that `Runtime.evaluate` answers.
    const { result, exceptionDetails } = (await this.#send('Runtime.evaluate', parameters)) as Evaluated;
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Puts the tab out of sight: its `visibilityState` becomes `hidden`. */
  async hide(): Promise<void> {
    // A cast, as above.
    const { windowId } = (await this.#send('Browser.getWindowForTarget')) as { readonly windowId: number };
    await this.#send('Browser.setWindowBounds', { windowId, bounds: { windowState: 'minimized' } });
  }

  /** Freezes a hidden tab, as browsers do with those that nobody has looked at for long: it only hears messages. */
  async freeze(): Promise<void> {
    await this.#send('Page.setWebLifecycleState', { state: 'frozen' });
  }

  /** Lets a frozen tab go on. */
  async thaw(): Promise<void> {
    await this.#send('Page.setWebLifecycleState', { state: 'active' });
  }

  async #send(method: string, params: object = {}): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    const replied = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    const message = JSON.stringify({ id, method, params });
    await this.#devTools.send('Target.sendMessageToTarget', { sessionId: this.#sessionId, message });
    const { result, error } = await replied;
    this.#waiting.delete(id);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }
}
