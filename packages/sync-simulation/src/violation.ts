/** What a schedule has shown to be broken. */

/** The protocol's invariants by number, `live` for what live updates promise, `tabs` for what
 * tabs do, `crash` for an error nobody expected. */
export type Invariant =
  | 'I1'
  | 'I2'
  | 'I3'
  | 'I4'
  | 'I5'
  | 'I6'
  | 'I7'
  | 'I8'
  | 'I9'
  | 'I10'
  | 'I11'
  | 'I12'
  | 'I13'
  | 'live'
  | 'tabs'
  | 'crash';

/** One broken promise. */
export interface Violation {
  readonly invariant: Invariant;
  readonly message: string;
}

/** Notes violations; the first one ends the schedule. */
export class Verdict {
  #first: Violation | undefined;

  get first(): Violation | undefined {
    return this.#first;
  }

  report(invariant: Invariant, message: string): void {
    this.#first ??= { invariant, message };
  }
}
