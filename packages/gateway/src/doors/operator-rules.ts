/** @module Rules of the operator at the operator door: seen with a `read` key, changed with the operator token only. */
import type { RulesDesk, RulesResult } from '@countersign/pipeline';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import { OperatorError } from './operator-errors.ts';
import type { LentByDoor } from './operator-routes.ts';
import { RULES_SCHEMA } from './operator-wire.ts';

function unwrap<T>(result: RulesResult<T>): T {
  if (result.ok) return result.value;
  throw new OperatorError(result.error.fault, result.error.faults);
}

function sourceOf(request: FastifyRequest): string {
  return (request.body as { source: string }).source; // The route's schema says so.
}

/** `changed` is called when another set of rules is in force. */
export function addRuleRoutes(app: FastifyInstance, desk: RulesDesk, lent: LentByDoor & { readonly changed: () => void }): void {
  const { need, reply, pathText, changed } = lent;
  const options = { schema: { body: RULES_SCHEMA }, bodyLimit: LIMITS.operatorBodyBytesMax };
  app.get('/api/v1/rules', (request, answer) => {
    need(request, 'read');
    return reply(answer, { rules: desk.view() });
  });
  app.get('/api/v1/rules/:pack', (request, answer) => {
    need(request, 'read');
    const pack = pathText(request, 'pack');
    const view = desk.view().packs.find((one) => one.pack === pack);
    const source = desk.source(pack);
    if (view === undefined || source === undefined)
      throw new OperatorError({ code: 'rule_pack_unknown', message: 'there is no such pack among your own' });
    return reply(answer, { pack: { ...view, source } });
  });
  app.post('/api/v1/rules/validate', options, async (request, answer) => {
    need(request, 'everything');
    return reply(answer, { valid: true, pack: unwrap(await desk.check(sourceOf(request))) });
  });
  app.post('/api/v1/rules/reload', async (request, answer) => {
    need(request, 'everything');
    const rules = unwrap(await desk.reload());
    changed();
    return reply(answer, { rules });
  });
  app.put('/api/v1/rules/:pack', options, async (request, answer) => {
    need(request, 'everything');
    const pack = unwrap(await desk.put(pathText(request, 'pack'), sourceOf(request)));
    changed();
    return reply(answer, { pack });
  });
  app.delete('/api/v1/rules/:pack', async (request, answer) => {
    need(request, 'everything');
    const rules = unwrap(await desk.remove(pathText(request, 'pack')));
    changed();
    return reply(answer, { rules });
  });
}
