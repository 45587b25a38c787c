/** What the page on running a server uses of Cloudflare's types. */

interface DurableObjectState {
  readonly storage: import('@objectql/sync-types').DurableObjectSql & {
    getAlarm(): Promise<number | null>;
    setAlarm(time: number): Promise<void>;
  };
  blockConcurrencyWhile<T>(work: () => Promise<T>): Promise<T>;
}

interface Env {
  readonly SYNC: { getByName(name: string): { fetch(request: Request): Promise<Response> } };
}

declare module 'cloudflare:workers' {
  export abstract class DurableObject {
    constructor(ctx: DurableObjectState, env: Env);
    protected readonly ctx: DurableObjectState;
    fetch?(request: Request): Response | Promise<Response>;
    alarm?(): void | Promise<void>;
  }
}
