/**
 * @module Secrets in Kubernetes manifests: what stands under `data` and `stringData` of a document of kind Secret is one, whatever it is called.
 * A text is gone through once, line by line.
 */
import { isPlaceholder } from './placeholders.ts';
import { decodedBase64 } from './secret-checks.ts';
import { type Cursor, reportLater } from './secret-cursor.ts';
import { isReference } from './secret-values.ts';

/** How the kind is spelled in YAML and JSON, lower case. */
export const MANIFEST_WORDS: readonly string[] = ['kind: secret', "kind: 'secret", 'kind: "secret', '"kind": "secret', '"kind":"secret'];

const LINE_CHARS_MAX = 8192;
const ENTRY = /^(\s*)(?:- )?["']?([\w./-]{1,128})["']?\s?:\s{0,4}(.{0,2048})$/;
const PLAIN_LINE = /^(\s*)([A-Za-z0-9+/=]{12,})$/;

interface Section {
  readonly indent: number;
  readonly encoded: boolean;
}

/** Text lines of the section that is open, from any of the documents of a text that names a Secret. */
export function readManifest(cursor: Cursor): void {
  if (cursor.manifestRead) return;
  cursor.manifestRead = true;
  const { text } = cursor.read.fact;
  cursor.finder.meter.steps += text.length;
  let section: Section | undefined;
  for (let from = 0; from < text.length;) {
    const next = text.indexOf('\n', from);
    const end = next < 0 ? text.length : next;
    if (end - from <= LINE_CHARS_MAX) section = readLine(cursor, from, { line: text.slice(from, end), section });
    from = end + 1;
  }
}

interface Line {
  readonly line: string;
  readonly section: Section | undefined;
}

function readLine(cursor: Cursor, from: number, { line, section }: Line): Section | undefined {
  const plain = PLAIN_LINE.exec(line)?.[2];
  if (plain !== undefined) {
    takeEncoded(cursor, { start: from + line.length - plain.length, value: plain, section });
    return section;
  }
  const entry = ENTRY.exec(line);
  if (entry === null) return section;
  const [, indent = '', name = '', rest = ''] = entry;
  if (rest === '' && SECTIONS.has(name)) return { indent: indent.length, encoded: name === 'data' };
  if (section === undefined || indent.length <= section.indent) return undefined;
  readEntry(cursor, from + line.length - rest.length, { rest, encoded: section.encoded });
  return section;
}

const SECTIONS: ReadonlySet<string> = new Set(['data', 'stringData']);

/** The value of an entry, quoted or not. */
function readEntry(cursor: Cursor, from: number, entry: { readonly rest: string; readonly encoded: boolean }): void {
  const [, quote = '', value = ''] = /^(["']?)([^"'\s]{1,2048})/.exec(entry.rest) ?? [];
  const start = from + quote.length;
  if (entry.encoded ? isEncodedSecret(value) : isPlainSecret(value)) take(cursor, start, start + value.length);
}

interface PlainLine {
  readonly start: number;
  readonly value: string;
  readonly section: Section | undefined;
}

function takeEncoded(cursor: Cursor, { start, value, section }: PlainLine): void {
  if (section?.encoded === true && isEncodedSecret(value)) take(cursor, start, start + value.length);
}

function take(cursor: Cursor, start: number, end: number): void {
  reportLater(cursor, { type: 'kubernetes_secret', start, end, confidence: 'high' });
}

const VALUE_MIN = 8;
const DECODED_MIN = 6;

/** Base64 of something readable that is no placeholder, and no plain word such as a user's name. */
function isEncodedSecret(value: string): boolean {
  if (value.length < VALUE_MIN || !/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return false;
  const decoded = decodedBase64(value);
  // Logins of registries name hosts beside what is secret in them.
  const login = /"(?:auth|password)"\s{0,4}:\s{0,4}"([^"]{6,512})"/.exec(decoded)?.[1];
  if (login !== undefined) return !isPlaceholder(login);
  return (
    decoded.length >= DECODED_MIN && !isPlaceholder(decoded) && !/^(?:admin|user(?:name)?|root|true|false|https?:.*)\s*$/.test(decoded)
  );
}

function isPlainSecret(value: string): boolean {
  return value.length >= VALUE_MIN && /\d/.test(value) && /[A-Za-z]/.test(value) && !isPlaceholder(value) && !isReference(value, true);
}
