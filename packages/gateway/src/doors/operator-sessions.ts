/** @module Sessions at the operator door: ending one, and where its entries are. */
import type { SessionDesk, SessionEndRequest, SessionResult } from '@countersign/pipeline';
import type { FastifyInstance } from 'fastify';
import { OperatorError } from './operator-errors.ts';
import type { LentByDoor } from './operator-routes.ts';
import { SESSION_END_SCHEMA } from './operator-wire.ts';

function unwrap<T>(result: SessionResult<T>): T {
  if (!result.ok) throw new OperatorError(result.error);
  return result.value;
}

export function addSessionRoutes(app: FastifyInstance, desk: SessionDesk, { need, orgFor, queryText, reply }: LentByDoor): void {
  app.post('/api/v1/sessions/end', { schema: { body: SESSION_END_SCHEMA } }, async (request, answer) => {
    need(request, 'everything');
    const body = request.body as Omit<SessionEndRequest, 'org'> & { org?: string }; // The route's schema says so.
    const { session, reason } = body;
    return reply(answer, { ended: unwrap(await desk.end({ org: orgFor(request, body.org), session, reason })) });
  });
  app.get('/api/v1/sessions/entries', async (request, answer) => {
    need(request, 'read');
    const org = orgFor(request, queryText(request, 'org'));
    return reply(answer, { entries: unwrap(await desk.entries(org, queryText(request, 'session') ?? '')) });
  });
}
