/** @module Receipts at the hushd door, as SignedReceipt 1.0.0, and their verification by the key of this installation. */
import type { FastifyInstance } from 'fastify';
import { type HushdRoom, send } from './hushd-door.ts';
import { HushdError } from './hushd-errors.ts';
import { objectBody, pathText } from './hushd-fields.ts';

function notFound(): HushdError {
  return new HushdError({ code: 'RECEIPT_NOT_FOUND', message: 'there is no such receipt' });
}

export function addReceiptRoutes(app: FastifyInstance, room: HushdRoom): void {
  const { receipts } = room.door;
  app.get('/api/v1/receipts/:id', async (request, reply) => {
    const id = pathText(request.params, 'id');
    // A receipt of another org is no different from one that does not exist.
    if ((await receipts.orgOf(id)) !== room.keyFor(request).org) throw notFound();
    const made = await receipts.signed(id);
    if (made === undefined) throw notFound();
    if (!(made instanceof Uint8Array)) throw new HushdError({ code: 'INVALID_RECEIPT', message: `${made.message} (${made.code})` });
    return reply.header('content-type', 'application/json; charset=utf-8').send(Buffer.from(made));
  });
  app.post('/api/v1/receipts/verify', async (request, reply) => {
    objectBody(request.body);
    // The very bytes that were sent: what was parsed and written again may be another file.
    const { ok, checks } = await receipts.verify(room.bytesOf(request));
    const failed = checks.filter(({ status }) => status === 'fail');
    const [first] = failed;
    return send(reply, {
      valid: ok,
      code: first?.code ?? null,
      errors: failed.map(({ code, sentence }) => ({ code, message: sentence })),
      checks,
    });
  });
}
