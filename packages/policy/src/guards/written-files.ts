/** @module What a file action writes as a whole, as outside sources are asked about it. */
import { touchedPaths } from './forbidden-path.ts';
import { writtenTexts } from './body-texts.ts';
import type { GuardContext } from './result.ts';

/** Keys under which the whole of a file comes, and not a piece that is put into one. */
const WHOLE = /^\/(?:content|params\/(?:content|contents|text|data|body|file_text|new_content|newContent))$/;

export interface WrittenFile {
  /** Each once; empty where the action does not say what it writes. */
  readonly contents: readonly string[];
  /** Pieces are put into a file: what it will be is not known. */
  readonly partial: boolean;
  /** More was written than could be read: what is here is not all. */
  readonly cut: boolean;
}

function isCut({ facts }: GuardContext): boolean {
  return facts.cuts.includes('bytes') || facts.cuts.includes('texts');
}

/** Undefined where the action writes no file. */
export function writtenFile(context: GuardContext): WrittenFile | undefined {
  if (context.action.kind !== 'file.write') return undefined;
  const texts = writtenTexts(context);
  const contents = texts.filter(({ text }) => WHOLE.test(text.span.path)).map(({ text }) => text.text);
  return { contents: [...new Set(contents)], partial: contents.length === 0 && texts.length > 0, cut: isCut(context) };
}

/** Does the action write to a path that ends so, whatever its case? */
export function writesTo(context: GuardContext, ending: string): boolean {
  return touchedPaths(context).some(({ normalized, resolved }) =>
    [normalized, resolved].some((path) => path?.toLowerCase().endsWith(ending) === true),
  );
}
