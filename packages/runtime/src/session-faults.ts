/** @module What is wrong with a session that an operator names. */
import type { Fault } from '@countersign/kernel';

const SESSION = /^[A-Za-z0-9_:.-]{1,128}$/;
const RESERVED_PREFIX = 'countersign.';

/** Undefined where it can be the name of an agent's session. */
export function sessionFault(session: string): Fault<'invalid_session'> | undefined {
  if (SESSION.test(session) && !session.startsWith(RESERVED_PREFIX)) return undefined;
  return {
    code: 'invalid_session',
    message: `a session of an agent has 1 to 128 characters of \`A-Z a-z 0-9 _ : . -\` and does not begin with \`${RESERVED_PREFIX}\``,
    path: '/session',
  };
}

export function unknownSession(): Fault<'session_unknown'> {
  return {
    code: 'session_unknown',
    message: 'there is no entry of this session in this org',
    path: '/session',
    hint: 'list some with `countersign session list`',
  };
}
