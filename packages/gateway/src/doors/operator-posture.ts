/**
 * @module The posture of sessions at the operator door. Moving one takes the operator token, or a key with the permission `posture:transition`; a
 * `kill` key may lock. No key that carries decisions opens this door, so no agent and no owner of a session moves its own.
 */
import type { SessionDesk, SessionResult, SessionTransitionRequest } from '@countersign/pipeline';
import type { FastifyInstance } from 'fastify';
import type { Access } from './operator-access.ts';
import { OperatorError } from './operator-errors.ts';
import type { LentByDoor } from './operator-routes.ts';
import { TRANSITION_SCHEMA } from './operator-wire.ts';

function unwrap<T>(result: SessionResult<T>): T {
  if (!result.ok) throw new OperatorError(result.error);
  return result.value;
}

type Warrant = Pick<SessionTransitionRequest, 'by' | 'authority'>;

/** @throws OperatorError `operator_forbidden` where the credential permits no transition at all. */
function warrantOf({ may, key }: Access): Warrant {
  if (may === 'everything') return { by: 'operator', authority: 'posture:transition' };
  const by = `key:${key?.id ?? ''}`;
  if (key?.permissions.includes('posture:transition') === true) return { by, authority: 'posture:transition' };
  if (may === 'kill') return { by, authority: 'posture:lock' };
  throw new OperatorError({
    code: 'operator_forbidden',
    message: 'this credential may not move a session',
    hint: 'use the operator token, or a key with the permission `posture:transition`',
  });
}

export function addPostureRoutes(app: FastifyInstance, desk: SessionDesk, { access, need, orgFor, queryText, reply }: LentByDoor): void {
  app.get('/api/v1/sessions/posture', async (request, answer) => {
    need(request, 'read');
    const org = orgFor(request, queryText(request, 'org'));
    return reply(answer, { posture: unwrap(await desk.posture(org, queryText(request, 'session') ?? '')) });
  });
  app.post('/api/v1/sessions/transition', { schema: { body: TRANSITION_SCHEMA } }, async (request, answer) => {
    const warrant = warrantOf(access(request));
    const { org, ...asked } = request.body as Omit<SessionTransitionRequest, keyof Warrant | 'org'> & { org?: string }; // The route's schema says so.
    return reply(answer, { transition: unwrap(await desk.transition({ ...asked, ...warrant, org: orgFor(request, org) })) });
  });
}
