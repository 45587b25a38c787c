/** A project like a user's: empty but for the packages, installed from their tarballs. One for all tests. */
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';

export interface UserProject {
  readonly folder: string;
  /** The tarball of each package, by its name. */
  readonly tarballs: Readonly<Record<string, string>>;
}

/** What the set-up says once it has built the project, or could not. */
export type BuildResult =
  | { readonly status: 'built'; readonly project: UserProject }
  | { readonly status: 'failed'; readonly why: string };

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the result of the build is told to all who connect. */
    userProjectPort: number;
  }
}

/** Waits until the project is built, which goes on while tests of other packages run. */
export async function userProject(): Promise<UserProject> {
  // Our own set-up writes it.
  const result = JSON.parse(await text(connect(inject('userProjectPort'), '127.0.0.1'))) as BuildResult;
  if (result.status === 'failed') throw new Error(result.why);
  return result.project;
}
