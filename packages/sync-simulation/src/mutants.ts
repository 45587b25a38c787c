/** One mutant for each rule that keeps sync sound: the simulation must notice when the rule is gone. */
import { DEVICE_MUTANTS } from './device-mutants.js';
import { ENGINE_MUTANTS } from './engine-mutants.js';
import type { ExpectedMutant } from './mutant.js';
import { SERVER_MUTANTS } from './server-mutants.js';

/** All mutants: the test of the simulation itself. */
export const MUTANTS: readonly ExpectedMutant[] = [...SERVER_MUTANTS, ...DEVICE_MUTANTS, ...ENGINE_MUTANTS];
