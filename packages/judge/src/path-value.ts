/** @module What a path is worth to whoever must not reach it: one part of D2. */
import { placeOf } from '@countersign/facts';
import type { PathFact } from '@countersign/protocol';

const SINKS = /^\/dev\/(?:null|zero|full|tty|std(?:in|out|err)|fd\/|u?random)/;
const SYSTEM =
  /^(?:\/$|\/(?:etc|usr|var|sys|proc|boot|root|lib|lib64|bin|sbin|dev|system|library)(?:\/|$)|[a-z]:\/(?:$|windows(?:\/|$)|program files|programdata(?:\/|$)))/;
const HOME = /^(?:~|\/(?:home|users)\/[^/]+)\/?$/;
const SETUP = /(?:^|\/)(?:makefile|dockerfile|docker-compose[^/]*)$|\.config\.|\.rc$/;
const KEPT_SECRET =
  /(?:^|\/)\.env(?:$|[^a-z0-9])|\.(?:env|pem|key|p12|pfx|jks|keystore|secret|token|password)$|\/\.(?:aws|ssh|gnupg|kube)(?:\/|$)|(?:^|\/)\.(?:npmrc|pypirc|netrc|pgpass)$|(?:^|\/)credentials(?:\.[a-z]{1,5})?$/;
const EXAMPLE = /\.(?:example|sample|template|dist|pub)$/;
/** Places that are the machine's own, read or written. */
const MACHINE_PLACES: ReadonlySet<string> = new Set(['accounts', 'privileges', 'kernel', 'preload', 'process-memory', 'kernel-setting']);
const SECRET_PLACES: ReadonlySet<string> = new Set(['private-key', 'credentials', 'browser-store', 'mailbox', 'history']);
const STARTS: ReadonlySet<string> = new Set(['shell-start', 'code-hook', 'login', 'cron', 'service']);

/** Whether the action would alter what stands there. */
export function changes({ access }: PathFact): boolean {
  return access === 'write' || access === 'delete';
}

function pathOf({ resolved, normalized }: PathFact): string {
  return (resolved ?? normalized).toLowerCase().replaceAll('\\', '/');
}

/** Of a path that no place speaks of. */
function plainValue(path: string, changed: boolean): number {
  if (HOME.test(path)) return changed ? 3 : 0;
  if (SYSTEM.test(path)) return changed ? 3 : 1;
  if (KEPT_SECRET.test(path) && !EXAMPLE.test(path)) return 2;
  return SETUP.test(path) ? 1 : 0;
}

/** 0 to 3. */
export function pathValue(fact: PathFact): number {
  const path = pathOf(fact);
  if (SINKS.test(path)) return 0;
  const place = placeOf(path);
  if (MACHINE_PLACES.has(place)) return 3;
  if (SECRET_PLACES.has(place)) return 2;
  if (place === 'scratch') return 0;
  const changed = changes(fact);
  const plain = plainValue(path, changed);
  return STARTS.has(place) ? Math.max(plain, changed ? 2 : 1) : plain;
}
