/**
 * @module What of an action is turned into vectors: its text in the form that Clawdstrike gives it, all of it, in pieces that overlap. (The
 * original looks at the first 512 bytes of a file; what stands behind them is not screened there.)
 */
import { canonicalize, type JsonValue } from '@countersign/kernel';
import type { Action } from '@countersign/protocol';
import { writtenTexts } from '../guards/body-texts.ts';
import { type GuardContext, quote } from '../guards/result.ts';
import { POLICY_LIMITS } from '../limits.ts';

/** Characters that two neighbouring pieces share, so that a sentence is whole in one of them. */
const OVERLAP_CHARS = 256;

function leaves({ facts }: GuardContext): string {
  return facts.texts
    .filter(({ role, layers }) => role === 'param' && layers.length === 0)
    .map(({ text }) => text)
    .join('\n');
}

function paramsText({ params }: Action): string {
  return params === undefined ? '' : canonicalize(params);
}

function pathOf({ facts }: GuardContext): string {
  return facts.paths[0]?.normalized ?? '';
}

function written(context: GuardContext): string {
  return writtenTexts(context)
    .map(({ text }) => text.text)
    .join('\n');
}

function egress({ facts }: GuardContext): string {
  const [first] = facts.hosts;
  if (first === undefined) return '[network_egress]';
  return `[network_egress:${quote(first.host)}:${String(first.port ?? 443)}]`;
}

/** What stands before the text, and the text. */
function parts(context: GuardContext): { readonly head: string; readonly body: string } {
  const { action } = context;
  const { kind, tool = kind, content } = action;
  if (kind === 'shell.exec') return { head: '[shell_command]', body: leaves(context) };
  if (kind === 'file.write') return { head: `[file_write:${quote(pathOf(context))}]`, body: written(context) };
  if (kind === 'file.patch') return { head: `[patch:${quote(pathOf(context))}]`, body: written(context) };
  if (kind === 'file.read') return { head: '[file_access]', body: leaves(context) };
  if (kind === 'net.egress') return { head: egress(context), body: leaves(context) };
  if (kind === 'mcp.call' || kind === 'tool.call') return { head: `[mcp_tool:${quote(tool)}]`, body: paramsText(action) };
  return { head: `[${quote(kind)}]`, body: content ?? paramsText(action) };
}

/** Half of a surrogate pair is no text. */
function cutAt(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1);
  return at < text.length && unit >= 0xd800 && unit <= 0xdbff ? at - 1 : at;
}

/** The pieces, each with what stands before the text; undefined where there are too many of them. */
export function screenedText(context: GuardContext): readonly string[] | undefined {
  const { head, body } = parts(context);
  const { screenCharsMax: size, screenPiecesMax: most } = POLICY_LIMITS;
  context.counter.steps += body.length;
  const pieces: string[] = [];
  for (let start = 0; start === 0 || start + OVERLAP_CHARS < body.length;) {
    if (pieces.length === most) return undefined;
    const end = cutAt(body, Math.min(body.length, start + size));
    pieces.push(`${head} ${body.slice(start, end)}`.trimEnd().toWellFormed());
    start = end < body.length ? cutAt(body, end - OVERLAP_CHARS) : body.length;
  }
  return pieces;
}

/** JSON that an adapter of this guard is given. */
export function askFor(pieces: readonly string[]): JsonValue {
  return { texts: pieces };
}
