/** @module The scope token of the guarded call that is running, for tools that hand it on to a service. */
import { AsyncLocalStorage } from 'node:async_hooks';

const storage = new AsyncLocalStorage<string | undefined>();

/** The token of the innermost guarded call, or undefined outside of one. */
export function currentScopeToken(): string | undefined {
  return storage.getStore();
}

/** Runs `work` with a token; a call without one hides the token of the call around it. */
export function withScopeToken<T>(token: string | undefined, work: () => T): T {
  return storage.run(token, work);
}
