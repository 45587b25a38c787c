import { describeAtHome } from './at-home.contract.js';
import { objectStack } from './object-stack.js';

describeAtHome('17.4', async () => objectStack);
