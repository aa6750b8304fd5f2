/** @module The logs at the operator door: which there are, making another, having an org write to another (spec/http.md HTTP-051). */
import type { LogDraft, LogsDesk, LogsResult } from '@countersign/pipeline';
import type { FastifyInstance } from 'fastify';
import { OperatorError } from './operator-errors.ts';
import type { LentByDoor } from './operator-routes.ts';
import { LOG_SCHEMA, ORG_LOG_SCHEMA } from './operator-wire.ts';

function unwrap<T>(result: LogsResult<T>): T {
  if (!result.ok) throw new OperatorError(result.error);
  return result.value;
}

export function addLogRoutes(app: FastifyInstance, desk: LogsDesk, { need, logOf, reply }: LentByDoor): void {
  app.get('/api/v1/logs', (request, answer) => {
    const { org } = need(request, 'read');
    if (org === undefined) return reply(answer, { logs: desk.list() });
    // How many orgs share a log is no business of one of them.
    const own = desk.list().filter(({ name }) => name === logOf(org));
    return reply(answer, { logs: own.map((log) => Object.assign({}, log, { orgs: 1 })) });
  });
  app.post('/api/v1/logs', { schema: { body: LOG_SCHEMA } }, async (request, answer) => {
    need(request, 'everything');
    return reply(answer, { log: unwrap(await desk.create(request.body as LogDraft)) }, 201); // The route's schema says so, here and below.
  });
  app.post('/api/v1/orgs/:id/log', { schema: { body: ORG_LOG_SCHEMA } }, async (request, answer) => {
    need(request, 'everything');
    const { id } = request.params as { id: string };
    const { log } = request.body as { log: string };
    return reply(answer, { org: unwrap(await desk.moveOrg(id, log)) });
  });
}
