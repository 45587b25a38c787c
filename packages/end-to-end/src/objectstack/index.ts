/** The tests of sync in ObjectStack, for the packages that run them against another version of it. */
export { describeAtHome } from './at-home.contract.js';
export type { ObjectStack } from './platform.js';
