/**
 * @module `GET /verify`: the page that verifies bundles in a browser. It is one static text that the composition root gives; it needs no
 * credential, because it knows nothing, and no data of this gateway is in it.
 */
import { sha256Hex } from '@countersign/crypto';
import type { FastifyInstance } from 'fastify';

export interface VerifyPage {
  /** HTML, with its script and style inside. */
  readonly html: string;
  /** What the page may do: no origin, only its own script and style, by hash. */
  readonly contentSecurityPolicy: string;
}

/** True where one of the tags in `If-None-Match` is ours, or any will do (RFC 9110, 13.1.2). */
function isKnown(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false;
  const tags = header.split(',').map((part) => part.trim().replace(/^W\//, ''));
  return tags.includes(tag) || header.trim() === '*';
}

/** Adds the route to `app`. The text is hashed once. */
export function addVerifyPage(app: FastifyInstance, page: VerifyPage): void {
  const bytes = Buffer.from(page.html, 'utf8');
  const tag = `"${sha256Hex(bytes)}"`;
  const headers = {
    'content-security-policy': page.contentSecurityPolicy,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    // Asked for each time, answered with its bytes only where they are others: an old verifier is not used by accident.
    'cache-control': 'no-cache',
    etag: tag,
  };
  app.get('/verify', (request, reply) => {
    void reply.headers(headers);
    if (isKnown(request.headers['if-none-match'], tag)) return reply.code(304).send();
    return reply.header('content-type', 'text/html; charset=utf-8').send(bytes);
  });
}
