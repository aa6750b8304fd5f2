/** Valid and wrong values of every field shape, and documents written so that the place of every value is known. */
import { isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { dotted } from '../src/document-path.ts';
import type { PolicyFaultCode } from '../src/faults.ts';
import type { Field, Pattern, Shape } from '../src/field-shapes.ts';
import { POLICY_LIMITS } from '../src/limits.ts';

/** A text of each kind that is right, one that is wrong, and how the fault is called. */
const TEXTS: Readonly<Record<Pattern, { readonly good: string; readonly bad: string; readonly code: PolicyFaultCode }>> = {
  'path-glob': { good: '/srv/**', bad: '/srv/${NAME}/x', code: 'policy_placeholder' },
  'tool-glob': { good: 'db.*', bad: 'a${NAME}', code: 'policy_placeholder' },
  'host-glob': { good: '*.example', bad: 'https://a.example/x', code: 'policy_host_pattern' },
  'frozen-host': { good: '*.example', bad: '@package-registries', code: 'policy_host_pattern' },
  regex: { good: '^a+$', bad: '(a+)+$', code: 'policy_regex_unsafe' },
  reference: { good: 'strict', bad: 'https://a.example/policy.yaml', code: 'policy_extends_pin' },
  'rule-id': { good: 'R042', bad: '4 2', code: 'policy_rule_id' },
  scope: { good: 'db:query:read', bad: 'db::read', code: 'policy_scope' },
  label: { good: 'one', bad: 'one two', code: 'policy_label' },
  'posture-name': { good: 'work', bad: 'w o', code: 'policy_posture' },
  'posture-from': { good: '*', bad: 'w o', code: 'policy_posture' },
  duration: { good: '5m', bad: '5 minutes', code: 'policy_duration' },
  'tool-prefix': { good: 'db_*', bad: 'd*b', code: 'policy_glob' },
  'url-path': { good: '/v1/charges', bad: 'v1/charges', code: 'policy_range' },
  'plain-host': { good: 'api.example', bad: '*.example', code: 'policy_host_pattern' },
  'header-name': { good: 'content-type', bad: 'a b', code: 'policy_range' },
  'guard-package': { good: 'acme.guard', bad: 'Acme Guard', code: 'policy_guard_package' },
  sha256: { good: 'ab'.repeat(32), bad: 'AB'.repeat(32), code: 'policy_guard_package' },
  'secret-name': { good: '${API_KEY}', bad: 'plain text', code: 'policy_secret' },
};

type Handlers<Value> = { readonly [Kind in Field['is']]: (field: Extract<Field, { readonly is: Kind }>) => Value };

/** The handler of a field's own kind takes that field. */
function handled<Value>(handlers: Handlers<Value>, field: Field): Value {
  return (handlers[field.is] as (own: Field) => Value)(field);
}

/** A key of a map: texts and words are keys. */
function keyOf(field: Field): string {
  if (field.is === 'word') return [...field.words.keys()][0] ?? '';
  return field.is === 'text' && field.pattern !== undefined ? TEXTS[field.pattern].good : 'x';
}

const SAMPLES: Handlers<JsonValue> = {
  text: keyOf,
  flag: () => true,
  number: ({ min }) => min,
  word: keyOf,
  score: () => 0.5,
  list: ({ item }) => [sampleOf(item)],
  map: ({ keys, item }) => ({ [keyOf(keys)]: sampleOf(item) }),
  object: () => ({}),
  by: ({ other }) => requiredOf(other),
  shape: requiredOf,
};

/** A value that is right. Lists hold one entry and shapes what they must, so that what is put into them is the only fault. */
export function sampleOf(field: Field): JsonValue {
  return handled(SAMPLES, field);
}

export function requiredOf({ fields, required = [] }: Shape): JsonObject {
  return Object.fromEntries(required.map((name) => [name, sampleOf(fields.get(name) ?? { is: 'flag' })]));
}

export interface Wrong {
  /** What is wrong, for the title. */
  readonly what: string;
  readonly value: JsonValue;
  /** Where the fault is, below the field. */
  readonly below: string;
  readonly code: PolicyFaultCode;
}

function wrongText(field: Field & { is: 'text' }): readonly Wrong[] {
  return [
    { what: 'a number', value: 7, below: '', code: 'policy_type' },
    // Beyond what a document may have the document is refused.
    ...(field.max >= POLICY_LIMITS.documentBytesMax
      ? []
      : [{ what: 'too long', value: 'x'.repeat(field.max + 1), below: '', code: 'policy_range' } as const]),
    ...(field.blank === true ? [] : [{ what: 'empty', value: '', below: '', code: 'policy_range' } as const]),
    ...(field.pattern === undefined
      ? []
      : [{ what: `no ${field.pattern}`, value: TEXTS[field.pattern].bad, below: '', code: TEXTS[field.pattern].code }]),
  ];
}

function wrongNumber({ min, max, whole }: Field & { is: 'number' }): readonly Wrong[] {
  return [
    { what: 'text', value: '7', below: '', code: 'policy_type' },
    // Beyond what a double tells apart the reader refuses the number itself, or there is nothing beyond.
    ...(min <= Number.MIN_SAFE_INTEGER ? [] : [{ what: 'below the least', value: min - 1, below: '', code: 'policy_range' } as const]),
    ...(max >= Number.MAX_SAFE_INTEGER ? [] : [{ what: 'above the most', value: max + 1, below: '', code: 'policy_range' } as const]),
    ...(whole ? [{ what: 'a fraction', value: min + 0.5, below: '', code: 'policy_type' } as const] : []),
  ];
}

function wrongList(field: Field & { is: 'list' }): readonly Wrong[] {
  const { item, key } = field;
  const own = sampleOf(item);
  const many = Array.from({ length: POLICY_LIMITS.listMax + 1 }, () => (typeof own === 'object' ? {} : own));
  return [
    { what: 'text', value: 'x', below: '', code: 'policy_type' },
    { what: 'too many', value: many, below: '', code: 'policy_range' },
    ...(key === undefined ? [] : [{ what: `two of one ${key}`, value: [own, own], below: '[1]', code: 'policy_duplicate_entry' } as const]),
  ];
}

function wrongMap({ keys, item }: Field & { is: 'map' }): readonly Wrong[] {
  const bad = keys.is === 'text' && keys.pattern !== undefined ? TEXTS[keys.pattern] : undefined;
  const [name, code] = bad === undefined ? ['nobody', 'policy_enum' as const] : [bad.bad, bad.code];
  return [
    { what: 'a list', value: [], below: '', code: 'policy_type' },
    { what: 'a wrong key', value: { [name]: sampleOf(item) }, below: dotted('.', name).slice(1), code },
  ];
}

function wrongShape(field: Shape): readonly Wrong[] {
  const all = requiredOf(field);
  return [
    { what: 'a list', value: [], below: '', code: 'policy_type' },
    { what: 'a field that nobody knows', value: { ...all, unknown_field: 1 }, below: '.unknown_field', code: 'policy_unknown_field' },
    ...[...(field.unsupported ?? [])].map((name): Wrong => ({
      what: `${name}, not carried out`,
      value: { ...all, [name]: {} },
      below: `.${name}`,
      code: 'policy_unsupported_field',
    })),
    ...(field.required ?? []).map((name): Wrong => {
      const { [name]: _, ...rest } = all;
      return { what: `without ${name}`, value: rest, below: '', code: 'policy_required' };
    }),
  ];
}

const WRONG: Handlers<readonly Wrong[]> = {
  text: wrongText,
  flag: () => [{ what: 'text', value: 'yes', below: '', code: 'policy_type' }],
  number: wrongNumber,
  word: () => [
    { what: 'a number', value: 7, below: '', code: 'policy_type' },
    { what: 'no such word', value: 'nobody', below: '', code: 'policy_enum' },
  ],
  score: () => [
    { what: 'text', value: 'x', below: '', code: 'policy_type' },
    ...[0, -1, 1.5, 0.123].map((value): Wrong => ({ what: String(value), value, below: '', code: 'policy_range' })),
  ],
  list: wrongList,
  map: wrongMap,
  object: ({ charsMax }) => [
    { what: 'a list', value: [], below: '', code: 'policy_type' },
    { what: 'too long', value: { a: 'x'.repeat(charsMax) }, below: '', code: 'policy_range' },
  ],
  // Each of its shapes is a place of its own.
  by: () => [],
  shape: wrongShape,
};

/** Values that break one rule of a field each. */
export function wrongOf(field: Field): readonly Wrong[] {
  return handled(WRONG, field);
}

/** One field, and how a document is made in which it holds a given value and everything else is right. */
export interface FieldPlace {
  readonly path: string;
  readonly field: Field;
  readonly within: (value: JsonValue) => JsonValue;
}

/** A shape without the field that says that it is the one: what is wrong there is wrong of another shape. */
function withoutField(shape: Shape, key: string): Shape {
  const fields = new Map([...shape.fields].filter(([name]) => name !== key));
  return { ...shape, fields, required: (shape.required ?? []).filter((name) => name !== key) };
}

/** Every field of a shape, at any depth. */
export function* fieldsOf({ path, field, within }: FieldPlace): Generator<FieldPlace> {
  yield { path, field, within };
  if (field.is === 'list') yield* fieldsOf({ path: `${path}[0]`, field: field.item, within: (value) => within([value]) });
  if (field.is === 'map') {
    const key = keyOf(field.keys);
    yield* fieldsOf({ path: dotted(path, key), field: field.item, within: (value) => within({ [key]: value }) });
  }
  if (field.is === 'by') {
    yield* fieldsOf({ path, field: field.other, within });
    for (const [name, one] of field.shapes) {
      const chosen = (value: JsonValue): JsonValue => within(isJsonObject(value) ? { ...value, [field.key]: name } : value);
      yield* fieldsOf({ path, field: withoutField(one, field.key), within: chosen });
    }
  }
  if (field.is !== 'shape') return;
  for (const [name, inner] of field.fields) {
    const place = (value: JsonValue): JsonValue => within({ ...requiredOf(field), [name]: value });
    yield* fieldsOf({ path: dotted(path, name), field: inner, within: place });
  }
}

export interface Written {
  readonly text: string;
  /** Line and column, both from 1, by path: of the key, or of the entry of a list. */
  readonly places: ReadonlyMap<string, readonly [line: number, column: number]>;
}

class Writer {
  readonly lines: string[] = [];
  readonly places = new Map<string, readonly [number, number]>();

  write(value: JsonValue, path: string, at: { readonly head: string; readonly indent: string }): void {
    if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
      if (Array.isArray(value)) this.items(value as readonly JsonValue[], path, at);
      else this.members(value as JsonObject, path, { head: at.head, indent: at.indent });
    } else this.lines.push(`${at.head} ${JSON.stringify(value)}`);
  }

  members(value: JsonObject, path: string, { head, indent }: { readonly head: string; readonly indent: string }): void {
    // Behind `- ` the first key stands on the same line.
    const entry = head.endsWith('-');
    if (!entry && head !== '') this.lines.push(head);
    for (const [i, [key, inner]] of Object.entries(value).entries()) {
      const lead = entry && i === 0 ? `${head} ` : indent;
      const own = dotted(path, key);
      this.places.set(own, [this.lines.length + 1, lead.length + 1]);
      this.write(inner, own, { head: `${lead}${JSON.stringify(key)}:`, indent: `${indent}  ` });
    }
  }

  items(value: readonly JsonValue[], path: string, { head, indent }: { readonly head: string; readonly indent: string }): void {
    if (head !== '') this.lines.push(head);
    for (const [i, item] of value.entries()) {
      const own = dotted(path, i);
      const lead = `${indent}-`;
      this.places.set(own, [this.lines.length + 1, lead.length + 2]);
      this.write(item, own, { head: lead, indent: `${indent}  ` });
    }
  }
}

/** A document in block style. */
export function written(value: JsonValue): Written {
  const writer = new Writer();
  writer.write(value, '', { head: '', indent: '' });
  return { text: `${writer.lines.join('\n')}\n`, places: writer.places };
}
