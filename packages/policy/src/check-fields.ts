/**
 * @module Holds a value against a shape of `fields.ts`: every fault with its path, every pattern compiled once to see that it does.
 */
import { canonicalize, getOwn, isJsonObject, type JsonValue } from '@countersign/kernel';
import { dotted, itemsOf, member } from './document-path.ts';
import { readReference } from './extends-reference.ts';
import { faultAt, quoted, suggest, type FaultPlace, type PolicyFault, type PolicyFaultCode, type Position } from './faults.ts';
import type { Field, Pattern, Shape } from './field-shapes.ts';
import { compileHostGlob, compilePathGlob } from './glob.ts';
import { POLICY_LIMITS } from './limits.ts';
import { ANY_STATE, durationSeconds, POSTURE_NAME } from './posture.ts';
import { checkRegex } from './regex/regex-set.ts';

/** A host list entry that stands for a host set of the operator. */
export const HOST_SET_ENTRY: RegExp = /^@[a-z0-9][a-z0-9-]{0,62}$/;

/** What is being checked, and what was found. */
export interface Check {
  readonly source: string;
  readonly positions: ReadonlyMap<string, Position>;
  readonly faults: PolicyFault[];
}

interface Complaint {
  readonly code: PolicyFaultCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Notes a fault; beyond the limit of faults it is dropped. */
export function complain(check: Check, path: string, complaint: Complaint): undefined {
  if (check.faults.length >= POLICY_LIMITS.faultsMax) return;
  const place: FaultPlace = { path, source: check.source, position: check.positions.get(path), hint: complaint.hint };
  check.faults.push(faultAt(complaint.code, complaint.message, place));
}

function typeName(value: JsonValue): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? 'text' : typeof value === 'number' ? 'a number' : 'true or false';
}

function wrongType(check: Check, path: string, what: { readonly wanted: string; readonly value: JsonValue }): undefined {
  complain(check, path, { code: 'policy_type', message: `must be ${what.wanted}, is ${typeName(what.value)}` });
}

function referenceProblem(text: string): Complaint | undefined {
  const reference = readReference(text);
  return reference.ok ? undefined : reference.error;
}

function ruleIdProblem(text: string): Complaint | undefined {
  if (/^[A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)*$/.test(text)) return undefined;
  return { code: 'policy_rule_id', message: `${quoted(text)} is not the id of a rule`, hint: '`countersign rules list` shows the ids' };
}

function scopeProblem(text: string): Complaint | undefined {
  if (/^(\*|[^\s:]+(:[^\s:]+)*)$/.test(text)) return undefined;
  return {
    code: 'policy_scope',
    message: `${quoted(text)} is not a scope`,
    hint: 'write `category:subcategory:operation`, as `db:query:read`',
  };
}

function labelProblem(text: string): Complaint | undefined {
  if (text.length <= POLICY_LIMITS.labelCharsMax && /^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text)) return undefined;
  const message = `${quoted(text)} is not a label of letters, digits, \`_\`, \`.\` and \`-\`, up to ${String(POLICY_LIMITS.labelCharsMax)} characters`;
  return { code: 'policy_label', message, hint: 'it stands in verdicts' };
}

function postureProblem(pattern: 'posture-name' | 'posture-from', text: string): Complaint | undefined {
  if (POSTURE_NAME.test(text) || text === '' || (pattern === 'posture-from' && text === ANY_STATE)) return undefined;
  return { code: 'policy_posture', message: `${quoted(text)} is not the name of a state`, hint: 'letters, digits, `_`, `.` and `-`' };
}

function secretNameProblem(text: string): Complaint | undefined {
  if (/^\$\{(?:secrets\.)?[A-Za-z_][A-Za-z0-9_]{0,127}\}$/.test(text)) return undefined;
  // What was written may be the secret itself: it is not quoted.
  return {
    code: 'policy_secret',
    message: 'a secret stands in no document',
    hint: 'name it, as `${NAME}`, and start the process with NAME set',
  };
}

function durationProblem(text: string): Complaint | undefined {
  if (durationSeconds(text) !== undefined) return undefined;
  return { code: 'policy_duration', message: `${quoted(text)} is not a duration of at most a year`, hint: 'e.g. `30s`, `5m`, `1h`' };
}

function guardPackageProblem(text: string): Complaint | undefined {
  if (/^(?!clawdstrike-)[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/.test(text)) return undefined;
  const message = `${quoted(text)} is no guard package: there are clawdstrike-virustotal, clawdstrike-safe-browsing, clawdstrike-snyk and those of your own`;
  return { code: 'policy_guard_package', message, hint: 'names have lower-case letters, digits, `.`, `_` and `-`' };
}

function sha256Problem(text: string): Complaint | undefined {
  if (/^[0-9a-f]{64}$/.test(text)) return undefined;
  return {
    code: 'policy_guard_package',
    message: 'must be 64 lower-case hex digits',
    hint: '`countersign guard inspect DIRECTORY` prints them',
  };
}

/** Texts that are no globs, hosts or expressions. */
const NAMES: ReadonlyMap<Pattern, (text: string) => Complaint | undefined> = new Map([
  ['reference', referenceProblem],
  ['rule-id', ruleIdProblem],
  ['scope', scopeProblem],
  ['label', labelProblem],
  ['posture-name', (text: string) => postureProblem('posture-name', text)],
  ['posture-from', (text: string) => postureProblem('posture-from', text)],
  ['duration', durationProblem],
  ['guard-package', guardPackageProblem],
  ['sha256', sha256Problem],
  ['secret-name', secretNameProblem],
]);

/** Why a pattern of a document does not compile, or undefined. */
export function patternProblem(pattern: Pattern, text: string): Complaint | undefined {
  const named = NAMES.get(pattern);
  if (named !== undefined) return named(text);
  if (pattern === 'regex') {
    const tree = checkRegex(text);
    if (tree.ok) return undefined;
    return { code: tree.error.code, message: `${tree.error.message}, at character ${String(tree.error.at + 1)} of ${quoted(text)}` };
  }
  if (/\$\{(?!HOME\})/.test(text)) {
    return {
      code: 'policy_placeholder',
      message: `${quoted(text)} holds a placeholder, and placeholders are not filled in`,
      hint: 'write the value itself',
    };
  }
  if (pattern === 'host-glob' || pattern === 'frozen-host') {
    if (pattern === 'host-glob' && HOST_SET_ENTRY.test(text)) return undefined;
    const glob = compileHostGlob(text);
    return glob.ok ? undefined : { code: 'policy_host_pattern', message: `${glob.error}: ${quoted(text)}` };
  }
  const glob = compilePathGlob(text, 'permit');
  return glob.ok ? undefined : { code: 'policy_glob', message: `${glob.error}: ${quoted(text)}` };
}

function readText(check: Check, field: Field & { is: 'text' }, at: { path: string; value: JsonValue }): JsonValue | undefined {
  if (typeof at.value !== 'string') return wrongType(check, at.path, { wanted: 'text', value: at.value });
  if (at.value.length > field.max)
    return complain(check, at.path, { code: 'policy_range', message: `longer than ${String(field.max)} characters` });
  if (at.value === '' && field.blank !== true) return complain(check, at.path, { code: 'policy_range', message: 'must not be empty' });
  const problem = field.pattern === undefined ? undefined : patternProblem(field.pattern, at.value);
  if (problem !== undefined) return complain(check, at.path, problem);
  return at.value;
}

function readNumber(check: Check, field: Field & { is: 'number' }, at: { path: string; value: JsonValue }): JsonValue | undefined {
  const wanted = field.whole ? 'a whole number' : 'a number';
  if (typeof at.value !== 'number' || (field.whole && !Number.isInteger(at.value)))
    return wrongType(check, at.path, { wanted, value: at.value });
  if (at.value < field.min || at.value > field.max) {
    return complain(check, at.path, { code: 'policy_range', message: `must be between ${String(field.min)} and ${String(field.max)}` });
  }
  return at.value;
}

function readWord(check: Check, field: Field & { is: 'word' }, at: { path: string; value: JsonValue }): JsonValue | undefined {
  if (typeof at.value !== 'string') return wrongType(check, at.path, { wanted: 'text', value: at.value });
  const word = field.words.get(at.value);
  if (word !== undefined) return word;
  const reason = field.refused?.get(at.value);
  if (reason !== undefined) return complain(check, at.path, { code: 'policy_unsupported_field', message: `${quoted(at.value)} ${reason}` });
  const known = [...field.words.keys()];
  const meant = suggest(at.value, known);
  return complain(check, at.path, {
    code: 'policy_enum',
    message: `must be one of ${known.join(', ')}`,
    hint: meant === undefined ? undefined : `did you mean ${quoted(meant)}?`,
  });
}

function readList(check: Check, field: Field & { is: 'list' }, at: { path: string; value: JsonValue }): JsonValue | undefined {
  if (!Array.isArray(at.value)) return wrongType(check, at.path, { wanted: 'a list', value: at.value });
  const items = itemsOf(at.value);
  if (items.length > POLICY_LIMITS.listMax) {
    return complain(check, at.path, { code: 'policy_range', message: `more than ${String(POLICY_LIMITS.listMax)} entries` });
  }
  const seen = new Set<JsonValue>();
  const out: JsonValue[] = [];
  for (const [i, item] of items.entries()) {
    // Nothing more would be reported.
    if (check.faults.length >= POLICY_LIMITS.faultsMax) break;
    const path = dotted(at.path, i);
    const read = readField(check, field.item, { path, value: item });
    const key = field.key === undefined ? undefined : member(item, field.key);
    if (key !== undefined && seen.has(key))
      complain(check, path, { code: 'policy_duplicate_entry', message: `another entry has the same \`${field.key ?? ''}\`` });
    if (key !== undefined) seen.add(key);
    if (read !== undefined) out.push(read);
  }
  return out;
}

function readScore(check: Check, at: { path: string; value: JsonValue }): JsonValue | undefined {
  const { value } = at;
  if (typeof value !== 'number') return wrongType(check, at.path, { wanted: 'a number', value });
  if (value > 0 && value <= 1 && /^\d(\.\d{1,2})?$/.test(String(value))) return Math.round(value * 1000);
  return complain(check, at.path, { code: 'policy_range', message: 'must be above 0 and up to 1, with at most two decimals' });
}

function readMap(check: Check, field: Field & { is: 'map' }, at: { path: string; value: JsonValue }): JsonValue | undefined {
  if (!isJsonObject(at.value)) return wrongType(check, at.path, { wanted: 'a mapping', value: at.value });
  const keys = Object.keys(at.value);
  if (keys.length > POLICY_LIMITS.listMax)
    return complain(check, at.path, { code: 'policy_range', message: `more than ${String(POLICY_LIMITS.listMax)} entries` });
  const out: [string, JsonValue][] = [];
  for (const key of keys) {
    const path = dotted(at.path, key);
    const name = readField(check, field.keys, { path, value: key });
    const value = readField(check, field.item, { path, value: getOwn(at.value, key) ?? null });
    if (typeof name === 'string' && value !== undefined) out.push([name, value]);
  }
  return Object.fromEntries(out);
}

function readObject(check: Check, field: Field & { is: 'object' }, at: { path: string; value: JsonValue }): JsonValue | undefined {
  if (!isJsonObject(at.value)) return wrongType(check, at.path, { wanted: 'a mapping', value: at.value });
  if (canonicalize(at.value).length <= field.charsMax) return at.value;
  return complain(check, at.path, { code: 'policy_range', message: `longer than ${String(field.charsMax)} characters of JSON` });
}

function readBy(check: Check, field: Field & { is: 'by' }, at: { path: string; value: JsonValue }): JsonValue | undefined {
  const key = member(at.value, field.key);
  return readShape(check, (typeof key === 'string' ? field.shapes.get(key) : undefined) ?? field.other, at);
}

function unknownField(check: Check, shape: Shape, at: { path: string; key: string }): undefined {
  if (shape.unsupported?.has(at.key) === true) {
    return complain(check, at.path, {
      code: 'policy_unsupported_field',
      message: `${quoted(at.key)} is part of the format and is not supported yet`,
      hint: 'remove it; a policy never holds what is not carried out',
    });
  }
  const meant = suggest(at.key, [...shape.fields.keys()]);
  return complain(check, at.path, {
    code: 'policy_unknown_field',
    message: `there is no field ${quoted(at.key)} here`,
    hint: meant === undefined ? `known fields: ${[...shape.fields.keys()].join(', ')}` : `did you mean ${quoted(meant)}?`,
  });
}

function readShape(check: Check, shape: Shape, at: { path: string; value: JsonValue }): JsonValue | undefined {
  if (!isJsonObject(at.value)) return wrongType(check, at.path, { wanted: 'a mapping', value: at.value });
  const out: [string, JsonValue][] = [];
  for (const key of Object.keys(at.value)) {
    const path = dotted(at.path, key);
    const field = shape.fields.get(key);
    const value = getOwn(at.value, key) ?? null;
    if (field === undefined) {
      unknownField(check, shape, { path, key });
      continue;
    }
    if (value === null && shape.nullable?.has(key) === true) continue;
    const read = readField(check, field, { path, value });
    if (read !== undefined) out.push([key, read]);
  }
  for (const key of shape.required ?? []) {
    if (!Object.hasOwn(at.value, key))
      complain(check, at.path, { code: 'policy_required', message: `the field ${quoted(key)} is missing` });
  }
  return Object.fromEntries(out);
}

/** The value of a field with aliases read, or undefined after its faults were noted. */
export function readField(check: Check, field: Field, at: { path: string; value: JsonValue }): JsonValue | undefined {
  if (field.is === 'text') return readText(check, field, at);
  if (field.is === 'flag')
    return typeof at.value === 'boolean' ? at.value : wrongType(check, at.path, { wanted: 'true or false', value: at.value });
  if (field.is === 'number') return readNumber(check, field, at);
  if (field.is === 'word') return readWord(check, field, at);
  if (field.is === 'score') return readScore(check, at);
  if (field.is === 'map') return readMap(check, field, at);
  if (field.is === 'object') return readObject(check, field, at);
  if (field.is === 'by') return readBy(check, field, at);
  return field.is === 'list' ? readList(check, field, at) : readShape(check, field, at);
}
