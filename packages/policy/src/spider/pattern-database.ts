/**
 * @module A database of known bad texts as vectors: a JSON array of `{id, category, stage, label, embedding}`. All of it is checked when a policy
 * is resolved; entries that differ in dimension, are not finite or point nowhere are faults of the file, never surprises later.
 */
import { sha256Hex } from '@countersign/crypto';
import { err, getOwn, isJsonObject, type JsonObject, type JsonValue, ok, type Result } from '@countersign/kernel';
import { PATTERN_STAGES, type PatternDatabase, type PatternName, type PatternStage } from '../guards/spider-sense-config.ts';
import { POLICY_LIMITS } from '../limits.ts';
import { packVectors } from './pack-vectors.ts';
import { quantise, unpackVectors } from './vectors.ts';

/** The one platform type this file needs. */
declare const TextDecoder: new (label: string, options: { fatal: boolean; ignoreBOM: boolean }) => { decode(bytes: Uint8Array): string };

const LABEL = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const MEMBERS = ['category', 'embedding', 'id', 'label', 'stage'].join(' ');

interface Entry {
  readonly name: PatternName;
  readonly vector: Int16Array;
}

type Read<T> = Result<T, string>;

function readStage(value: JsonValue | undefined): PatternStage | undefined {
  return PATTERN_STAGES.find((stage) => stage === value);
}

function isLabel(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value.length <= POLICY_LIMITS.patternIdCharsMax && LABEL.test(value);
}

function readName(entry: JsonObject): Read<PatternName> {
  const [id, category, label] = [getOwn(entry, 'id'), getOwn(entry, 'category'), getOwn(entry, 'label')];
  const stage = readStage(getOwn(entry, 'stage'));
  if (!isLabel(id)) return err('`id` is not a name of letters, digits, `_`, `.` and `-`');
  if (!isLabel(category)) return err('`category` is not a name of letters, digits, `_`, `.` and `-`');
  if (stage === undefined) return err(`\`stage\` is not one of ${PATTERN_STAGES.join(', ')}`);
  if (typeof label !== 'string' || label.length > POLICY_LIMITS.entryCharsMax) return err('`label` is not a short text');
  return ok({ id, category, stage, label });
}

function readVector(value: JsonValue | undefined): Read<Int16Array> {
  if (!Array.isArray(value) || value.length === 0) return err('`embedding` is not a list of numbers');
  if (value.length > POLICY_LIMITS.patternDimensionMax)
    return err(`\`embedding\` has more than ${String(POLICY_LIMITS.patternDimensionMax)} numbers`);
  const numbers = (value as readonly JsonValue[]).filter((component) => typeof component === 'number');
  if (numbers.length !== value.length) return err('`embedding` holds something that is no number');
  const vector = quantise(numbers);
  return vector === undefined ? err('`embedding` holds a number that is not finite, or only zeros') : ok(vector);
}

function readEntry(value: JsonValue): Read<Entry> {
  if (!isJsonObject(value)) return err('is not a mapping');
  if (Object.keys(value).toSorted().join(' ') !== MEMBERS)
    return err('must have `id`, `category`, `stage`, `label`, `embedding` and nothing else');
  const name = readName(value);
  if (!name.ok) return name;
  const vector = readVector(getOwn(value, 'embedding'));
  return vector.ok ? ok({ name: name.value, vector: vector.value }) : vector;
}

/** Entries of one database; the fault names the entry. */
function readEntries(value: JsonValue): Read<readonly Entry[]> {
  if (!Array.isArray(value) || value.length === 0) return err('must be a list of at least one pattern');
  if (value.length > POLICY_LIMITS.patternsMax) return err(`has more than ${String(POLICY_LIMITS.patternsMax)} patterns`);
  const entries: Entry[] = [];
  const ids = new Set<string>();
  let components = 0;
  for (const [i, item] of (value as readonly JsonValue[]).entries()) {
    const entry = readEntry(item);
    if (!entry.ok) return err(`pattern ${String(i)}: ${entry.error}`);
    const { name, vector } = entry.value;
    if (ids.has(name.id)) return err(`pattern ${String(i)}: another pattern has the same \`id\``);
    const wanted = entries[0]?.vector.length ?? vector.length;
    if (vector.length !== wanted)
      return err(`pattern ${String(i)}: has ${String(vector.length)} numbers where the first pattern has ${String(wanted)}`);
    components += vector.length;
    if (components > POLICY_LIMITS.patternComponentsMax)
      return err(`has more than ${String(POLICY_LIMITS.patternComponentsMax)} numbers in all`);
    ids.add(name.id);
    entries.push(entry.value);
  }
  return ok(entries);
}

/** A database from its entries; `checksum` is that of the file, where there is one. */
export function databaseOf(entries: JsonValue, version: string, checksum?: string): Read<PatternDatabase> {
  const read = readEntries(entries);
  if (!read.ok) return read;
  const vectors = packVectors(read.value.map(({ vector }) => vector));
  return ok({
    version,
    checksum: checksum ?? sha256Hex(vectors),
    dimension: read.value[0]?.vector.length ?? 0,
    patterns: read.value.map(({ name }) => name),
    vectors,
  });
}

/** Bytes of a file, as JSON. The file was signed or hashed, so that two readers cannot be shown two files; it need not be strict JSON. */
export function jsonOfBytes(bytes: Uint8Array): JsonValue | undefined {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)) as JsonValue;
  } catch {
    return undefined;
  }
}

/** The vectors of a resolved database; undefined where it is not one, because it may come out of a stranger's bundle. */
export function vectorsOf({ patterns, dimension, vectors }: PatternDatabase): readonly Int16Array[] | undefined {
  if (patterns.length === 0 || patterns.length * dimension > POLICY_LIMITS.patternComponentsMax) return undefined;
  return unpackVectors(vectors, { count: patterns.length, dimension });
}
