/** The application's rules about who may read and write, and how they change. */
import type { Authorize } from '@objectql/protocol-sync';
import type { JsonObject } from '@objectql/sync-types';

/** Who may read what: whole objects by grant, and private records by their owner alone. */
export class Permissions {
  readonly #denied = new Set<string>();
  readonly isEnabled: boolean;

  constructor(isEnabled: boolean) {
    this.isEnabled = isEnabled;
  }

  setGrant(user: string, objectName: string, isGranted: boolean): void {
    if (isGranted) this.#denied.delete(`${user} ${objectName}`);
    else this.#denied.add(`${user} ${objectName}`);
  }

  /** Whether the user may read such a record. */
  mayRead(user: string, objectName: string, data: JsonObject | null): boolean {
    if (!this.isEnabled) return true;
    return !this.#denied.has(`${user} ${objectName}`) && !isPrivateOfOther(user, data);
  }

  /** A text that changes with the user's grants. */
  scopeOf(user: string): string {
    return [...this.#denied]
      .filter((denied) => denied.startsWith(`${user} `))
      .sort()
      .join();
  }

  /** The rules as the server is given them. */
  authorize(): Authorize {
    if (!this.isEnabled) return {};
    return {
      read: ({ principal, objectName, record }) => {
        const user = principal?.id ?? '';
        if (this.#denied.has(`${user} ${objectName}`)) return 'hide';
        return isPrivateOfOther(user, record) ? 'forget' : 'allow';
      },
      write: ({ mutation }) => !('forbidden' in (mutation.data ?? {})),
      scope: (principal) => this.scopeOf(principal?.id ?? ''),
    };
  }
}

function isPrivateOfOther(user: string, data: JsonObject | null): boolean {
  return data?.private !== undefined && data.private !== user;
}
