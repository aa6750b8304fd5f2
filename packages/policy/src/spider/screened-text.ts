/**
 * @module What of an action is turned into vectors: its text in the form that Clawdstrike gives it, all of it, in pieces that overlap. (The
 * original looks at the first 512 bytes of a file; what stands behind them is not screened there.)
 */
import { canonicalize, err, type JsonValue, ok, type Result } from '@countersign/kernel';
import type { Action, TextFact } from '@countersign/protocol';
import { writtenTexts } from '../guards/body-texts.ts';
import { type GuardContext, quote } from '../guards/result.ts';
import { isUnread } from '../guards/text-signals.ts';
import { POLICY_LIMITS } from '../limits.ts';

/** Characters that two neighbouring pieces share, so that a sentence is whole in one of them. */
const OVERLAP_CHARS = 256;

function leaves({ facts }: GuardContext): readonly TextFact[] {
  return facts.texts.filter(({ role, layers }) => (role === 'param' || role === 'content') && layers.length === 0);
}

function joined(texts: readonly TextFact[]): string {
  return texts.map(({ text }) => text).join('\n');
}

/** Arguments as they are, and what stands beside them. */
function wholeText({ params, content }: Action): string {
  const args = params === undefined ? [] : [canonicalize(params)];
  return [...(content === undefined ? [] : [content]), ...args].join('\n');
}

function pathOf({ facts }: GuardContext): string {
  return facts.paths[0]?.normalized ?? '';
}

/** What is written first, then whatever else is said, so that no parameter is a place to hide in; the path stands before the text already. */
function written(context: GuardContext): string {
  const first = writtenTexts(context).map(({ text }) => text);
  const said = new Set(first.map(({ span }) => span.path));
  const path = context.facts.paths[0]?.raw;
  return joined([...first, ...leaves(context).filter(({ span, text }) => !said.has(span.path) && text !== path)]);
}

function egress({ facts }: GuardContext): string {
  const [first] = facts.hosts;
  if (first === undefined) return '[network_egress]';
  return `[network_egress:${quote(first.host)}:${String(first.port ?? 443)}]`;
}

interface Parts {
  readonly head: string;
  readonly body: string;
  /** The body was gathered from facts, which may be cut short. */
  readonly gathered: boolean;
}

function gathered(head: string, body: string): Parts {
  return { head, body, gathered: true };
}

/** What stands before the text, and the text. */
function partsOf(context: GuardContext): Parts {
  const { action } = context;
  const { kind, tool = kind } = action;
  if (kind === 'shell.exec') return gathered('[shell_command]', joined(leaves(context)));
  if (kind === 'file.write') return gathered(`[file_write:${quote(pathOf(context))}]`, written(context));
  if (kind === 'file.patch') return gathered(`[patch:${quote(pathOf(context))}]`, written(context));
  if (kind === 'file.read') return gathered('[file_access]', joined(leaves(context)));
  if (kind === 'net.egress') return gathered(egress(context), joined(leaves(context)));
  const named = kind === 'mcp.call' || kind === 'tool.call' ? `mcp_tool:${quote(tool)}` : quote(kind);
  return { head: `[${named}]`, body: wholeText(action), gathered: false };
}

/** Half of a surrogate pair is no text. */
function cutAt(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1);
  return at < text.length && unit >= 0xd800 && unit <= 0xdbff ? at - 1 : at;
}

/** Why an action cannot be screened whole. */
export type Unscreened = 'facts_cut' | 'text_too_long';

/** The pieces, each with what stands before the text. */
export function screenedText(context: GuardContext): Result<readonly string[], Unscreened> {
  const { head, body, gathered: fromFacts } = partsOf(context);
  if (fromFacts && isUnread(context)) return err('facts_cut');
  const { screenCharsMax: size, screenPiecesMax: most } = POLICY_LIMITS;
  context.counter.steps += body.length;
  const pieces: string[] = [];
  for (let start = 0; start === 0 || start + OVERLAP_CHARS < body.length;) {
    if (pieces.length === most) return err('text_too_long');
    const end = cutAt(body, Math.min(body.length, start + size));
    pieces.push(`${head} ${body.slice(start, end)}`.trimEnd().toWellFormed());
    start = end < body.length ? cutAt(body, end - OVERLAP_CHARS) : body.length;
  }
  return ok(pieces);
}

/** JSON that an adapter of this guard is given. */
export function askFor(pieces: readonly string[]): JsonValue {
  return { texts: pieces };
}
