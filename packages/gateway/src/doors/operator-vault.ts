/** @module The vault at the operator door: erasing a subject, other keys for what comes, how much there is. Needs the operator token. */
import type { ErasureRequest, VaultDesk, VaultResult } from '@countersign/pipeline';
import type { FastifyInstance } from 'fastify';
import { OperatorError } from './operator-errors.ts';
import type { LentByDoor } from './operator-routes.ts';
import { ERASE_SCHEMA, ROTATE_SCHEMA } from './operator-wire.ts';

/** Who the log says asked: the operator token names nobody. */
const BY = 'operator';

function unwrap<T>(result: VaultResult<T>): T {
  if (!result.ok) throw new OperatorError(result.error);
  return result.value;
}

export function addVaultRoutes(app: FastifyInstance, desk: VaultDesk, { need, orgFor, reply }: LentByDoor): void {
  app.get('/api/v1/vault', (request, answer) => {
    need(request, 'everything');
    return reply(answer, { vault: desk.view() });
  });
  app.post('/api/v1/vault/erase', { schema: { body: ERASE_SCHEMA } }, async (request, answer) => {
    need(request, 'everything');
    const body = request.body as Omit<ErasureRequest, 'org' | 'by'> & { org?: string }; // The route's schema says so, here and below.
    const { subject, reason } = body;
    return reply(answer, { erasure: unwrap(await desk.erase({ org: orgFor(request, body.org), subject, reason, by: BY })) });
  });
  app.post('/api/v1/vault/rotate', { schema: { body: ROTATE_SCHEMA } }, (request, answer) => {
    need(request, 'everything');
    const { org, subject } = request.body as { org?: string; subject?: string };
    const vault = subject === undefined ? desk.rotate() : desk.rotate({ org: orgFor(request, org), subject });
    return reply(answer, { vault: unwrap(vault) });
  });
}
