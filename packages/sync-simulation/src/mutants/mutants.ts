/** One mutant for each rule that keeps sync sound: the simulation must notice when the rule is gone. */
import { APPLICATION_MUTANTS } from './application-mutants.js';
import { DEVICE_MUTANTS } from './device-mutants.js';
import { ENGINE_MUTANTS } from './engine-mutants.js';
import { LIVE_MUTANTS } from './live-mutants.js';
import type { ExpectedMutant } from './mutant.js';
import { STORE_MUTANTS } from './store-mutants.js';
import { TAB_MUTANTS } from './tab-mutants.js';
import { WIRE_MUTANTS } from './wire-mutants.js';

/** All mutants: the test of the simulation itself. */
export const MUTANTS: readonly ExpectedMutant[] = [
  ...STORE_MUTANTS,
  ...WIRE_MUTANTS,
  ...APPLICATION_MUTANTS,
  ...DEVICE_MUTANTS,
  ...ENGINE_MUTANTS,
  ...LIVE_MUTANTS,
  ...TAB_MUTANTS,
];
