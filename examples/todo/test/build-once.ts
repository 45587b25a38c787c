/** Builds the app before the first of its tests: two at once would write the same files. */
import { buildApp } from '../server/build-app.js';

export async function setup(): Promise<void> {
  await buildApp(() => {});
}
