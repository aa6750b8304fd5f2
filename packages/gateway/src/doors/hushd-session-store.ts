/** @module The open sessions of the hushd door, in memory and bounded: after a restart an id is unknown, and what names it is refused. */
import { type JsonObject, uuidv7 } from '@countersign/kernel';
import type { Ports } from '@countersign/pipeline';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import type { HushdKey } from './hushd-access.ts';
import { HushdError } from './hushd-errors.ts';

export interface HushdSession {
  readonly id: string;
  readonly key: HushdKey;
  readonly createdMs: number;
  readonly expiresMs: number;
  /** Endpoint agent it was made for, where it says one. */
  readonly endpointAgent?: string;
  readonly request?: JsonObject;
  readonly state: JsonObject;
  lastActivityMs: number;
}

export type SessionDraft = Pick<HushdSession, 'endpointAgent' | 'request' | 'state'>;

export interface HushdSessions {
  /** @throws HushdError `SESSION_LIMIT`. */
  create(key: HushdKey, seconds: number, draft: SessionDraft): HushdSession;
  /** Undefined: never there, expired, or ended. */
  find(id: string): HushdSession | undefined;
  remove(id: string): void;
}

/** @throws what the ports throw. */
export function createHushdSessions({ clock, random }: Pick<Ports, 'clock' | 'random'>): HushdSessions {
  const sessions = new Map<string, HushdSession>();
  const sweep = (nowMs: number): void => {
    for (const [id, session] of sessions) if (session.expiresMs <= nowMs) sessions.delete(id);
  };
  /** One key cannot take the room of all. */
  const countOf = (key: HushdKey): number => {
    let count = 0;
    for (const session of sessions.values()) if (session.key.id === key.id) count += 1;
    return count;
  };
  return {
    create(key: HushdKey, seconds: number, draft: SessionDraft): HushdSession {
      const nowMs = clock.nowMs();
      if (sessions.size >= LIMITS.hushdSessionsMax) sweep(nowMs);
      if (sessions.size >= LIMITS.hushdSessionsMax)
        throw new HushdError({ code: 'SESSION_LIMIT', message: 'too many sessions are open', hint: 'delete some' });
      if (countOf(key) >= LIMITS.hushdSessionsPerKeyMax) sweep(nowMs);
      if (countOf(key) >= LIMITS.hushdSessionsPerKeyMax)
        throw new HushdError({ code: 'SESSION_LIMIT', message: 'too many sessions of this key are open', hint: 'delete some' });
      const id = uuidv7(clock, random);
      const session = { ...draft, id, key, createdMs: nowMs, lastActivityMs: nowMs, expiresMs: nowMs + seconds * 1000 };
      sessions.set(id, session);
      return session;
    },
    find(id: string): HushdSession | undefined {
      const session = sessions.get(id);
      if (session === undefined || clock.nowMs() < session.expiresMs) return session;
      sessions.delete(id);
      return undefined;
    },
    remove(id: string): void {
      sessions.delete(id);
    },
  };
}
