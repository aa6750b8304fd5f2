/**
 * @module Tags and attributes of HTML as a browser would see them, and as it would after a filter took a NUL out of a name. One pass to the
 * right: an attribute that is not closed is looked for once, so that the cost is a constant for each character.
 */
import { FACTS_LIMITS } from './limits.ts';

export interface Attribute {
  /** Lower-case. */
  readonly name: string;
  /** As written between its quotes; undefined without `=`. */
  readonly value: string | undefined;
}

export interface Tag {
  /** Lower-case, without control characters: `script`, `/script`, `svg:script`, `?xml:namespace`, `!--`. */
  readonly name: string;
  readonly attributes: readonly Attribute[];
  readonly start: number;
  readonly end: number;
}

export interface TagReading {
  readonly tags: readonly Tag[];
  /** Where reading goes on; the length of the text at its end. */
  readonly next: number;
  readonly steps: number;
}

const { tagsMax: TAGS_MAX, attributesMax: ATTRIBUTES_MAX, attributeCharsMax: VALUE_MAX } = FACTS_LIMITS;

interface Cursor {
  readonly text: string;
  at: number;
  steps: number;
  /** Where the next quote of a kind is, or past the end: found once, used until it is passed. */
  readonly quotes: Map<string, number>;
}

const NAME = /[^\s<>"'`=]{1,128}/y;
const TAG_NAME = /[/!?%]?[ \u0000-\u001f]{0,2}[a-zA-Z!?-][^\s/<>"'=(]{0,64}/y;
/** A name with a blank behind every letter. */
const SPACED = /(?:[a-zA-Z] ){2,12}[a-zA-Z]\b/y;
const BETWEEN = /[\s/\u0000-\u001f\u00a0"'`;]{1,64}/y;
const BLANK = /[\s\u0000-\u001f]{0,64}/y;
const BARE = /[^\s>]{1,4096}/y;
/** What is in a name for a filter and not for a parser: control characters, blanks, a NUL that is spelled out. */
const NULLS = /[\u0000-\u001f ]|\\0/g;

function match(cursor: Cursor, pattern: RegExp): string {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0] ?? '';
  cursor.steps += found.length + 1;
  return found;
}

function nextQuote(cursor: Cursor, quote: string): number {
  const known = cursor.quotes.get(quote) ?? -1;
  if (known >= cursor.at) return known;
  const found = cursor.text.indexOf(quote, cursor.at);
  const at = found === -1 ? cursor.text.length : found;
  cursor.steps += at - cursor.at;
  cursor.quotes.set(quote, at);
  return at;
}

function readValue(cursor: Cursor): string {
  cursor.at += match(cursor, BLANK).length;
  const quote = cursor.text[cursor.at] ?? '';
  if (quote !== '"' && quote !== "'" && quote !== '`') {
    const bare = match(cursor, BARE);
    cursor.at += bare.length;
    return bare.slice(0, VALUE_MAX);
  }
  cursor.at += 1;
  const from = cursor.at;
  const end = nextQuote(cursor, quote);
  // Left open, it ends where the page around it closes it; what is known of it is its start.
  const closed = end < cursor.text.length;
  cursor.at = closed ? end + 1 : Math.min(cursor.text.length, from + Math.max(1, match(cursor, BARE).length));
  return cursor.text.slice(from, closed ? Math.min(end, from + VALUE_MAX) : from + VALUE_MAX);
}

/** Attributes from the cursor to the end of the tag. */
function readAttributes(cursor: Cursor): readonly Attribute[] {
  const { text } = cursor;
  const attributes: Attribute[] = [];
  while (cursor.at < text.length && attributes.length < ATTRIBUTES_MAX) {
    cursor.at += match(cursor, BETWEEN).length;
    const char = text[cursor.at];
    if (char === '>' || char === '<' || char === undefined) break;
    const name = match(cursor, NAME);
    if (name === '') {
      cursor.at += 1;
      continue;
    }
    cursor.at += name.length;
    const gap = match(cursor, BLANK).length;
    const assigned = text[cursor.at + gap] === '=';
    if (assigned) cursor.at += gap + 1;
    const value = assigned ? readValue(cursor) : undefined;
    attributes.push({ name: name.replaceAll(NULLS, '').toLowerCase(), value });
  }
  return attributes;
}

function readTagName(cursor: Cursor): string {
  const spaced = match(cursor, SPACED);
  if (spaced !== '') {
    cursor.at += spaced.length;
    return spaced.replaceAll(' ', '').toLowerCase();
  }
  const name = match(cursor, TAG_NAME);
  cursor.at += name.length;
  return name.replaceAll(NULLS, '').toLowerCase();
}

/** Tags of a text from an offset on, at most `tagsMax`. */
export function readTags(text: string, from = 0): TagReading {
  const cursor: Cursor = { text, at: from, steps: 0, quotes: new Map() };
  const tags: Tag[] = [];
  while (tags.length < TAGS_MAX) {
    const start = text.indexOf('<', cursor.at);
    cursor.steps += (start === -1 ? text.length : start) - cursor.at + 1;
    if (start === -1) {
      cursor.at = text.length;
      break;
    }
    cursor.at = start + 1;
    while (text[cursor.at] === ' ' && cursor.at < start + 3) cursor.at += 1;
    const name = readTagName(cursor);
    if (name === '') continue;
    const attributes = readAttributes(cursor);
    tags.push({ name, attributes, start, end: Math.min(text.length, cursor.at + 1) });
  }
  return { tags, next: cursor.at, steps: cursor.steps };
}

/** What stands in a tag behind the first quote of a kind, or from the start without one: the attributes of somebody who broke out of a value. */
export function attributesBehind(text: string, quote: string): { readonly attributes: readonly Attribute[]; readonly steps: number } {
  const cursor: Cursor = { text, at: quote === '' ? 0 : text.indexOf(quote) + 1, steps: 0, quotes: new Map() };
  const attributes = readAttributes(cursor);
  return { attributes, steps: cursor.steps };
}
