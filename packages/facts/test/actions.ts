import type { Action } from '@countersign/protocol';

/** An action with nothing in it but what is given. */
export function actionOf(kind: string, parts: Partial<Action>): Action {
  return {
    v: 1,
    id: '01890000-0000-7000-8000-000000000000',
    kind,
    source: { framework: 'test', door: 'test' },
    org: 'org',
    agent: 'agent',
    session: 'session',
    delegation: [],
    ...parts,
  };
}
