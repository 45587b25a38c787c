/** A server at a branch, on SQLite. */
import { describeBranchServer } from './branch-server.contract.js';

describeBranchServer();
