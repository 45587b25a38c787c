/** An `AbortController` as React Native has it (https://github.com/facebook/react-native/issues/50015). */

/** Its signal can be listened to and tells that it is aborted; it has neither a reason nor `throwIfAborted`. */
export class ReasonlessAbortController {
  readonly signal = Object.assign(new EventTarget(), { aborted: false });

  abort(): void {
    if (this.signal.aborted) return;
    this.signal.aborted = true;
    this.signal.dispatchEvent(new Event('abort'));
  }
}
