/** @module The log at the operator door: its keys, proofs since an older checkpoint, and moving old segments away and back. */
import type { ArchiveRequest, LogDesk, LogDeskResult } from '@countersign/pipeline';
import type { FastifyInstance } from 'fastify';
import { OperatorError } from './operator-errors.ts';
import type { LentByDoor } from './operator-routes.ts';
import { ARCHIVE_SCHEMA, CONSISTENCY_SCHEMA, EMPTY_SCHEMA, RESTORE_SCHEMA } from './operator-wire.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

function unwrap<T>(result: LogDeskResult<T>): T {
  if (!result.ok) throw new OperatorError(result.error);
  return result.value;
}

export function addLogRoutes(app: FastifyInstance, desk: LogDesk, { need, reply }: LentByDoor): void {
  app.get('/api/v1/log/keys', (request, answer) => {
    need(request, 'read');
    return reply(answer, { keys: desk.keys() });
  });
  app.post('/api/v1/log/keys/rotate', { schema: { body: EMPTY_SCHEMA } }, async (request, answer) => {
    need(request, 'everything');
    return reply(answer, { keys: unwrap(await desk.rotateKey()) });
  });
  app.post('/api/v1/log/keys/retire', { schema: { body: EMPTY_SCHEMA } }, async (request, answer) => {
    need(request, 'everything');
    return reply(answer, { keys: unwrap(await desk.retireKey()) });
  });
  app.post('/api/v1/log/consistency', { schema: { body: CONSISTENCY_SCHEMA } }, async (request, answer) => {
    need(request, 'read');
    const { old, new: newer } = request.body as { old: string; new?: string }; // The route's schema says so, here and below.
    return answer.header('content-type', JSON_TYPE).send(Buffer.from(unwrap(await desk.consistency(old, newer))));
  });
  app.post('/api/v1/log/archive', { schema: { body: ARCHIVE_SCHEMA } }, async (request, answer) => {
    need(request, 'everything');
    return reply(answer, { moved: unwrap(await desk.archive(request.body as ArchiveRequest)) });
  });
  app.post('/api/v1/log/restore', { schema: { body: RESTORE_SCHEMA } }, async (request, answer) => {
    need(request, 'everything');
    const { directory } = request.body as { directory: string };
    return reply(answer, { moved: unwrap(await desk.restore(directory)) });
  });
}
