/**
 * @module The texts of an action that leave the agent's hands: what is written, sent, run or passed on.
 */
import { getOwn, isJsonObject, type JsonValue } from '@countersign/kernel';
import type { Action, TextFact } from '@countersign/protocol';
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
/** Keys under which tools pass what they write. */
const CONTENT_KEYS = [
  'content',
  'contents',
  'text',
  'data',
  'body',
  'file_text',
  'new_string',
  'new_str',
  'new_content',
  'newContent',
  'new_source',
  'replacement',
  'insert_text',
  'patch',
  'diff',
  'unified_diff',
  'patch_content',
  'patchContent',
  'input',
] as const;
/** The same inside a list of edits. */
const EDIT_KEYS = ['new_string', 'newText', 'new_str', 'newString', 'text'] as const;
const CONTENT_PATHS = new RegExp(`^/(?:content|params/(?:${CONTENT_KEYS.join('|')})|params/edits/\\d{1,6}/(?:${EDIT_KEYS.join('|')}))$`);

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

function holdsText(value: JsonValue | undefined, keys: readonly string[]): boolean {
  return isJsonObject(value) && keys.some((key) => typeof getOwn(value, key) === 'string');
}

/** Kinds that say that something is written. */
const WRITES: ReadonlySet<string> = new Set(['file.write', 'file.patch']);

/**
 * A write that does not say what is written: nothing of it can be judged. An empty text is a text. A call of a tool is not meant: what it
 * does is what its arguments say, and some tools change files without a text (POL-048).
 */
export function isUnseenWrite({ kind, tool, content, params }: Pick<Action, 'kind' | 'tool' | 'content' | 'params'>): boolean {
  if (!WRITES.has(kind) || tool !== undefined || content !== undefined || holdsText(params, CONTENT_KEYS)) return false;
  const edits = isJsonObject(params) ? getOwn(params, 'edits') : undefined;
  return !Array.isArray(edits) || !edits.some((edit: JsonValue) => holdsText(edit, EDIT_KEYS));
}

/** A call of a tool that writes texts into files, and has no argument but where. */
export function isEmptyCall({ action, facts }: GuardContext): boolean {
  if (action.kind !== 'file.write' || action.tool !== 'filesystem.write' || action.content !== undefined) return false;
  if (holdsText(action.params, CONTENT_KEYS)) return false;
  const places = new Set(facts.paths.map(({ span }) => span.path));
  return !facts.texts.some((text) => isBody(text) && text.role !== 'key' && !places.has(text.span.path));
}
