/**
 * @module The labelled corpora beside the repository: gzipped JSON lines, one file a family. They hold real attack strings, so nothing of
 * a row's text ever leaves this process.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { CodedError, getOwn, isJsonObject, type JsonObject, type JsonValue, parseJson } from '@countersign/kernel';

export interface CorpusRow {
  readonly id: string;
  readonly family: string;
  readonly label: 'attack' | 'benign';
  readonly kind: string;
  readonly text?: string;
  readonly tool?: string;
  readonly params?: JsonValue;
  /** What the row was made from: rows of one document are not independent. */
  readonly doc?: string;
  readonly meta: JsonObject;
}

const ROW_BYTES_MAX = 4_194_304;

/** Rows that are in the files and not in headline rates (corpora README). */
const FAMILIES_APART: ReadonlySet<string> = new Set(['harmful_request', 'agentdojo_tool_call']);

/** The corpora folder: an argument, else beside `COUNTERSIGN_SHARED`, else beside the repository. Undefined when it is not there. */
export function corporaFolder(argument: string | undefined): string | undefined {
  const shared = process.env['COUNTERSIGN_SHARED'] ?? fileURLToPath(new URL('../../shared', import.meta.url));
  const folder = argument ?? join(shared, 'corpora');
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.jsonl.gz')) ? folder : undefined;
}

/** True for a family that is measured but does not count. */
export function isApart(family: string): boolean {
  return FAMILIES_APART.has(family);
}

/** True for a row that is left out: its label is not certain. */
export function isExcluded(row: CorpusRow): boolean {
  return getOwn(row.meta, 'weak') === true || getOwn(row.meta, 'doubtful') === true;
}

function text(object: JsonObject, key: string): string | undefined {
  const value = getOwn(object, key);
  return typeof value === 'string' ? value : undefined;
}

function readRow(line: string, place: string): CorpusRow {
  // Rows are data of others: numbers of any length, and nesting as a tool call may have it.
  const parsed = parseJson(line, { bytesMax: ROW_BYTES_MAX });
  if (!parsed.ok) throw new CodedError({ code: 'corpus_invalid', message: `${place} is not JSON: ${parsed.error.message}` });
  const row = parsed.value.value;
  if (!isJsonObject(row)) throw new CodedError({ code: 'corpus_invalid', message: `${place} is not an object` });
  const [id, family, label, kind, tool] = [text(row, 'id'), text(row, 'family'), text(row, 'label'), text(row, 'kind'), text(row, 'tool')];
  if (id === undefined || family === undefined || kind === undefined || (label !== 'attack' && label !== 'benign')) {
    throw new CodedError({ code: 'corpus_invalid', message: `${place} lacks id, family, label or kind` });
  }
  const [content, params, doc, meta] = [text(row, 'text'), getOwn(row, 'params'), text(row, 'doc'), getOwn(row, 'meta')];
  return {
    id,
    family,
    label,
    kind,
    ...(content === undefined ? {} : { text: content }),
    ...(tool === undefined ? {} : { tool }),
    ...(params === undefined ? {} : { params }),
    ...(doc === undefined ? {} : { doc }),
    meta: isJsonObject(meta) ? meta : {},
  };
}

/** Names of the families in a folder. */
export function familyFiles(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl.gz'))
    .toSorted()
    .map((name) => join(folder, name));
}

/** All rows of one file. @throws {CodedError} `corpus_invalid`, naming file and line. */
export function readFamily(file: string): readonly CorpusRow[] {
  const lines = gunzipSync(readFileSync(file)).toString('utf8').split('\n');
  return lines.flatMap((line, i) => (line.trim() === '' ? [] : [readRow(line, `${basename(file)}:${i + 1}`)]));
}
