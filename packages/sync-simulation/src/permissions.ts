/** The application's rules about who may read and write, and how they change. */
import type { Authorize } from '@objectql/protocol-sync';
import type { JsonObject, MutationLogEntry } from '@objectql/sync-types';
import type { HiddenField } from './plan.js';

/**
 * Who may read what: whole objects by grant, private records only by their owner, and all fields except hidden ones.
 */
export class Permissions {
  readonly #denied = new Set<string>();
  /** By user and object, e.g. `u0 task`. */
  readonly #hidden = new Map<string, ReadonlySet<string>>();
  readonly isEnabled: boolean;

  constructor(isEnabled: boolean, hiddenFields: readonly HiddenField[] = []) {
    this.isEnabled = isEnabled;
    for (const hidden of hiddenFields) this.setHidden(hidden, true);
  }

  setHidden({ user, objectName, field }: HiddenField, isHidden: boolean): void {
    const fields = new Set(this.#hidden.get(`${user} ${objectName}`));
    if (isHidden) fields.add(field);
    else fields.delete(field);
    this.#hidden.set(`${user} ${objectName}`, fields);
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

  /** What the user may see of such a record; `undefined` when nothing. */
  viewOf(user: string, objectName: string, data: JsonObject): JsonObject | undefined {
    if (!this.mayRead(user, objectName, data)) return undefined;
    const hidden = this.isEnabled ? this.#hiddenFrom(user, objectName) : [];
    if (hidden.length === 0) return data;
    return Object.fromEntries(Object.entries(data).filter(([field]) => !hidden.includes(field)));
  }

  /** Whether nobody may ever make such a change. */
  isForbidden({ data = {} }: Pick<MutationLogEntry, 'data'>): boolean {
    return this.isEnabled && 'forbidden' in data;
  }

  /** A text that changes with the user's grants. */
  scopeOf(user: string): string {
    const denied = [...this.#denied].filter((denial) => denial.startsWith(`${user} `));
    const hidden = [...this.#hidden].flatMap(([of, fields]) =>
      of.startsWith(`${user} `) ? [...fields].map((field) => `${of} ${field}`) : [],
    );
    return [...denied, ...hidden].sort().join();
  }

  /** The rules as they are given to the server. */
  authorize(): Authorize {
    if (!this.isEnabled) return {};
    return {
      read: ({ principal, objectName, record }) => {
        const user = principal?.id ?? '';
        if (this.#denied.has(`${user} ${objectName}`)) return 'hide';
        if (isPrivateOfOther(user, record)) return 'forget';
        const without = this.#hiddenFrom(user, objectName);
        return without.length > 0 ? { without } : 'allow';
      },
      write: ({ principal, mutation }) => {
        const hidden = this.#hiddenFrom(principal?.id ?? '', mutation.objectName);
        return !this.isForbidden(mutation) && !hidden.some((field) => Object.hasOwn(mutation.data ?? {}, field));
      },
      scope: (principal) => this.scopeOf(principal?.id ?? ''),
    };
  }

  #hiddenFrom(user: string, objectName: string): readonly string[] {
    return [...(this.#hidden.get(`${user} ${objectName}`) ?? [])];
  }
}

function isPrivateOfOther(user: string, data: JsonObject | null): boolean {
  return data?.private !== undefined && data.private !== user;
}
