/**
 * @module The texts of an action that leave the agent's hands: what is written, sent, run or passed on.
 */
import type { TextFact } from '@countersign/protocol';
import { readDiff, type DiffReading } from '../unified-diff.ts';
import type { GuardContext } from './result.ts';

/** Kinds whose texts only come in, or are judged as prompts elsewhere. */
const INCOMING: ReadonlySet<string> = new Set(['file.read', 'prompt.input', 'model.output', 'tool.response', 'secret.access']);

/** Does an action of this kind carry something out? */
export function carriesOut(kind: string): boolean {
  return !INCOMING.has(kind) && !kind.startsWith('input.') && !kind.startsWith('session.');
}

/** Leaves and decoded layers of what goes out; the joined view repeats them and is left out. */
export function isBody(text: TextFact): boolean {
  return text.role === 'param' || text.role === 'content' || text.role === 'key';
}

/** Keys under which tools pass a patch. */
const DIFF_PATHS = /^\/(?:content|params\/(?:patch|diff|unified_diff|patch_content|patchContent|content|input))$/;
const CONTENT_PATHS =
  /^\/(?:content|params\/(?:content|contents|text|data|body|file_text|new_string|new_str|new_content|newContent|replacement|insert_text|patch|diff|input)|params\/edits\/\d{1,6}\/(?:new_string|newText|new_str|newString|text))$/;

export interface BodyText {
  readonly text: TextFact;
  /** How a patch among them reads; undefined for plain content. */
  readonly diff?: DiffReading;
}

/** What a file action writes: the patch itself, or the content. */
export function writtenTexts(context: GuardContext): readonly BodyText[] {
  const { kind } = context.action;
  return context.facts.texts.flatMap((text): readonly BodyText[] => {
    const { path } = text.span;
    if (!isBody(text) || text.layers.length > 0 || text.role === 'key' || !CONTENT_PATHS.test(path)) return [];
    return kind === 'file.patch' && DIFF_PATHS.test(path) ? [{ text, diff: readDiff(text.text) }] : [{ text }];
  });
}
