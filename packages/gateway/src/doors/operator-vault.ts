/** @module The vault at the operator door: erasing a subject, other keys for what comes, how much there is. Needs the operator token. */
import type { ErasureRequest, VaultDesk, VaultResult } from '@countersign/pipeline';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { OperatorError } from './operator-errors.ts';
import { ERASE_SCHEMA, ROTATE_SCHEMA } from './operator-wire.ts';

/** What the door lends its routes. */
export interface VaultRoutes {
  readonly desk: VaultDesk;
  /** @throws OperatorError where the credential is not good for everything. */
  readonly needEverything: (request: FastifyRequest) => void;
  /** The org a request is about. @throws OperatorError. */
  readonly orgFor: (request: FastifyRequest, named: string | undefined) => string;
  readonly reply: (answer: FastifyReply, value: object) => FastifyReply;
}

/** Who the log says asked: the operator token names nobody. */
const BY = 'operator';

function unwrap<T>(result: VaultResult<T>): T {
  if (!result.ok) throw new OperatorError(result.error);
  return result.value;
}

export function addVaultRoutes(app: FastifyInstance, { desk, needEverything, orgFor, reply }: VaultRoutes): void {
  app.get('/api/v1/vault', (request, answer) => {
    needEverything(request);
    return reply(answer, { vault: desk.view() });
  });
  app.post('/api/v1/vault/erase', { schema: { body: ERASE_SCHEMA } }, async (request, answer) => {
    needEverything(request);
    const body = request.body as Omit<ErasureRequest, 'org' | 'by'> & { org?: string }; // The route's schema says so, here and below.
    const { subject, reason } = body;
    return reply(answer, { erasure: unwrap(await desk.erase({ org: orgFor(request, body.org), subject, reason, by: BY })) });
  });
  app.post('/api/v1/vault/rotate', { schema: { body: ROTATE_SCHEMA } }, (request, answer) => {
    needEverything(request);
    const { org, subject } = request.body as { org?: string; subject?: string };
    const vault = subject === undefined ? desk.rotate() : desk.rotate({ org: orgFor(request, org), subject });
    return reply(answer, { vault: unwrap(vault) });
  });
}
