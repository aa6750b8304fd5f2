/**
 * @module Text from files, made safe to look at. It never becomes markup (only text nodes are made of it); here characters that could
 * make it look like another text get a visible name, and long texts are cut with a count.
 */
import { PAGE_LIMITS } from './limits.ts';

/** Control, format (zero width, direction), line and paragraph separators, private use, lone surrogates. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;

function nameOf(character: string): string {
  return `⟨U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`;
}

/** The text with every unseen character named; at most `charsMax` characters of it. */
export function visible(text: string, charsMax: number = PAGE_LIMITS.shownCharsMax): string {
  const shown = text.slice(0, charsMax).replace(UNSEEN, nameOf);
  return text.length > charsMax ? `${shown}… (${text.length - charsMax} characters more)` : shown;
}

/** Indented JSON, cut, with every unseen character but its own newlines named. JSON escapes what is below a space already. */
export function visibleJson(value: unknown, charsMax: number = PAGE_LIMITS.entryCharsMax): string {
  const lines = JSON.stringify(value, null, 2).slice(0, charsMax + 1);
  const shown = lines.slice(0, charsMax).replace(UNSEEN, (character) => (character === '\n' ? character : nameOf(character)));
  return lines.length > charsMax ? `${shown}\n… (cut here: the entry is longer)` : shown;
}
