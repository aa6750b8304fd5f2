/** @module One log at the operator door: its keys, proofs since an older checkpoint, and moving old segments away and back. */
import { type ArchiveRequest, type LogDesk, type LogDeskResult, MAIN_LOG } from '@countersign/pipeline';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { OperatorError } from './operator-errors.ts';
import type { LentByDoor } from './operator-routes.ts';
import { ARCHIVE_SCHEMA, CONSISTENCY_SCHEMA, LOG_ONLY_SCHEMA, RESTORE_SCHEMA } from './operator-wire.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

interface Named {
  readonly log?: string;
}

function unwrap<T>(result: LogDeskResult<T>): T {
  if (!result.ok) throw new OperatorError(result.error);
  return result.value;
}

/** `deskOf` gives the desk of an open log. */
export function addLogDeskRoutes(app: FastifyInstance, deskOf: (log: string) => LogDesk | undefined, lent: LentByDoor): void {
  const { need, logOf, queryText, reply } = lent;
  /** The log that is named; `main`, or that of the credential's org, where none is. A log of others is no different from none. */
  const deskFor = (request: FastifyRequest, what: 'everything' | 'read', { log: named }: Named): LogDesk => {
    const { org } = need(request, what);
    const own = org === undefined ? MAIN_LOG : logOf(org);
    const name = named ?? own;
    const desk = org !== undefined && name !== own ? undefined : deskOf(name);
    if (desk !== undefined) return desk;
    throw new OperatorError({ code: 'log_unknown', message: 'there is no open log of this name', path: '/log' });
  };
  app.get('/api/v1/log/keys', (request, answer) => {
    const log = queryText(request, 'log');
    return reply(answer, { keys: deskFor(request, 'read', log === undefined ? {} : { log }).keys() });
  });
  app.post('/api/v1/log/keys/rotate', { schema: { body: LOG_ONLY_SCHEMA } }, async (request, answer) => {
    const desk = deskFor(request, 'everything', request.body as Named); // The route's schema says so, here and below.
    return reply(answer, { keys: unwrap(await desk.rotateKey()) });
  });
  app.post('/api/v1/log/keys/retire', { schema: { body: LOG_ONLY_SCHEMA } }, async (request, answer) => {
    const desk = deskFor(request, 'everything', request.body as Named);
    return reply(answer, { keys: unwrap(await desk.retireKey()) });
  });
  app.post('/api/v1/log/consistency', { schema: { body: CONSISTENCY_SCHEMA } }, async (request, answer) => {
    const body = request.body as Named & { old: string; new?: string };
    const made = await deskFor(request, 'read', body).consistency(body.old, body.new);
    return answer.header('content-type', JSON_TYPE).send(Buffer.from(unwrap(made)));
  });
  app.post('/api/v1/log/archive', { schema: { body: ARCHIVE_SCHEMA } }, async (request, answer) => {
    const { before, directory, ...named } = request.body as Named & ArchiveRequest;
    return reply(answer, { moved: unwrap(await deskFor(request, 'everything', named).archive({ before, directory })) });
  });
  app.post('/api/v1/log/restore', { schema: { body: RESTORE_SCHEMA } }, async (request, answer) => {
    const { directory, ...named } = request.body as Named & { directory: string };
    return reply(answer, { moved: unwrap(await deskFor(request, 'everything', named).restore(directory)) });
  });
}
