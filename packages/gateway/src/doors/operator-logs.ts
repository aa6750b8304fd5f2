/** @module The logs at the operator door: which there are, making another, having an org write to another (spec/http.md HTTP-051). */
import type { LogDraft, LogsDesk, LogsResult } from '@countersign/pipeline';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from './operator-access.ts';
import { OperatorError } from './operator-errors.ts';
import { LOG_SCHEMA, ORG_LOG_SCHEMA } from './operator-wire.ts';

/** What the door lends its routes. */
export interface LogRoutes {
  readonly desk: LogsDesk;
  /** @throws OperatorError where the credential is not good for reading, or for everything. */
  readonly need: (request: FastifyRequest, what: 'everything' | 'read') => Access;
  /** The log that an org writes to. */
  readonly logOf: (org: string) => string;
  readonly reply: (answer: FastifyReply, value: object, status?: number) => FastifyReply;
}

function unwrap<T>(result: LogsResult<T>): T {
  if (!result.ok) throw new OperatorError(result.error);
  return result.value;
}

export function addLogRoutes(app: FastifyInstance, { desk, need, logOf, reply }: LogRoutes): void {
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
