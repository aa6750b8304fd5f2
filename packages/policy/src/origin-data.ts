/**
 * @module What may leave through an origin: whether it may be shared outside, and what is done with secrets and personal data in it. Nothing is
 * changed here: what has to be redacted is refused, together with the text that would pass.
 */
import type { Action, Facts, Span } from '@countersign/protocol';
import { isOutside } from './origin-context.ts';
import type { OriginData, OriginFields } from './origins.ts';

/** An answer that is sent to where the agent was asked, and one that a model gives. */
const SENT = 'agent.message';
const SAID: ReadonlySet<string> = new Set([SENT, 'model.output']);

export interface DataRefusal {
  readonly code: 'external_sharing' | 'output_unread' | 'sensitive_output' | 'redaction_required';
  readonly message: string;
  readonly evidence: readonly Span[];
  /** The text with everything sensitive taken out, where each place of it could be told. For the caller, never for the log. */
  readonly sanitized?: string;
}

interface Sensitive {
  readonly span: Span;
  readonly type: string;
  readonly layers: readonly string[];
}

const byPlace = (a: Sensitive, b: Sensitive): number =>
  a.span.start === b.span.start ? b.span.end - a.span.end : a.span.start - b.span.start;

/** Undefined where something is not in the text itself: it was packed, or stands in another place. */
export function redacted(content: string, found: readonly Sensitive[]): string | undefined {
  const inPlace = found.every(({ span, layers }) => span.path === '/content' && layers.length === 0 && span.end <= content.length);
  if (!inPlace) return undefined;
  let out = '';
  let at = 0;
  for (const { span, type } of found.toSorted(byPlace)) {
    // Of two that overlap the first speaks, and takes the rest of the other with it.
    if (span.start >= at) out += `${content.slice(at, span.start)}[REDACTED:${type}]`;
    at = Math.max(at, span.end);
  }
  return out + content.slice(at);
}

/** Undefined where the profile has nothing against it, and for everything that is no output. */
export function refuseData(
  data: OriginData,
  { action, facts }: { readonly action: Action; readonly facts: Facts },
  origin: OriginFields,
): DataRefusal | undefined {
  if (!SAID.has(action.kind)) return undefined;
  if (action.kind === SENT && !data.allow_external_sharing && isOutside(origin))
    return { code: 'external_sharing', message: 'The origin is seen from outside, and nothing may be shared there', evidence: [] };
  if (!data.block_sensitive_outputs && !data.redact_before_send) return undefined;
  if (facts.cuts.length > 0)
    return { code: 'output_unread', message: 'The output could not be read whole, so nobody knows what is in it', evidence: [] };
  const found: readonly Sensitive[] = [...facts.secrets, ...facts.pii];
  if (found.length === 0) return undefined;
  const evidence = found.map(({ span }) => span);
  if (data.block_sensitive_outputs)
    return { code: 'sensitive_output', message: 'The output holds secrets or personal data, and nothing of it may leave here', evidence };
  const sanitized = action.content === undefined ? undefined : redacted(action.content, found);
  const message = 'The output holds secrets or personal data: send the redacted text instead';
  return { code: 'redaction_required', message, evidence, ...(sanitized === undefined ? {} : { sanitized }) };
}
