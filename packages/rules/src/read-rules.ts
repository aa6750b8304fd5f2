/**
 * @module Reads a rule document: YAML text -> checked rules, or every fault with its line and column. The format is `spec/rules.md`.
 */
import { err, isJsonObject, ok, type JsonObject, type JsonValue, type Result } from '@countersign/kernel';
import { SEVERITIES, type Severity } from '@countersign/protocol';
import { isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import { compileRules } from './compile-rules.ts';
import { readDictionaries, withDictionaries } from './dictionaries.ts';
import { MATCH_CUT_RULE, RULE_LIMITS } from './limits.ts';
import { checkCondition } from './read-condition.ts';
import { expandKinds, readScore } from './read-kinds.ts';
import { readTemplates } from './read-templates.ts';
import { Reading, type Locate, type RuleFault, type RuleFaultCode } from './reading.ts';
import type { Condition, ExampleSketch, Rule, RuleDocument, WrittenRule } from './rule.ts';

const DOCUMENT_FIELDS = ['version', 'pack', 'description', 'dictionaries', 'rules', 'dlp'] as const;
const RULE_FIELDS = ['id', 'title', 'category', 'severity', 'score', 'level', 'kinds', 'when', 'tags', 'exemptable', 'examples'] as const;
const EXAMPLE_FORMS = [
  'shell',
  'sql',
  'path',
  'url',
  'prompt',
  'response',
  'output',
  'tool',
  'file',
  'params',
  'content',
  'context',
  'kind',
  'descriptor',
  'access',
  'links_to',
] as const;

type Path = readonly (string | number)[];

const TAG_SHAPES = {
  owasp: /^(LLM|ASI)(0[1-9]|10)$/,
  atlas: /^(AML\.)?T\d{4}(\.\d{3})?$/,
  cwe: /^CWE-\d{1,5}$/,
  regulation: /^[A-Z][A-Z0-9]*([.-][A-Z0-9]+){0,4}$/,
} as const;

/** A list that the document leaves out is empty; of laws and standards it is left out then. */
function readTags(value: JsonValue | undefined, path: Path, reading: Reading): Rule['tags'] {
  const written = value === undefined ? undefined : reading.object(value, path, Object.keys(TAG_SHAPES));
  const read = (name: keyof typeof TAG_SHAPES): readonly string[] =>
    written === undefined || !Object.hasOwn(written, name) ? [] : readTagList(written[name], { path: [...path, name], name }, reading);
  const tags = { owasp: read('owasp'), atlas: read('atlas'), cwe: read('cwe') };
  const regulation = read('regulation');
  return regulation.length === 0 ? tags : { ...tags, regulation };
}

function readTagList(
  value: JsonValue | undefined,
  at: { readonly path: Path; readonly name: keyof typeof TAG_SHAPES },
  reading: Reading,
): readonly string[] {
  const tags: string[] = [];
  for (const [i, item] of reading.list(value, at.path, { min: 1, max: 16 }).entries()) {
    const tag = reading.string(item, [...at.path, i], 32);
    if (TAG_SHAPES[at.name].test(tag)) tags.push(tag);
    else
      reading.fault('rule_value', [...at.path, i], {
        message: `\`${tag}\` is not a tag of \`${at.name}\``,
        hint: 'for example owasp LLM01 or ASI02, atlas AML.T0051 or T1059.004, cwe CWE-89, regulation GDPR or PCI-DSS',
      });
  }
  return tags.sort();
}

function readSketches(value: JsonValue | undefined, path: Path, reading: Reading): readonly ExampleSketch[] {
  const sketches: ExampleSketch[] = [];
  for (const [i, item] of reading.list(value, path, { min: 1, max: 64 }).entries()) {
    const sketch = reading.object(item, [...path, i], EXAMPLE_FORMS);
    if (sketch !== undefined) sketches.push(sketch);
  }
  return sketches;
}

function readExamples(value: JsonValue | undefined, path: Path, reading: Reading): WrittenRule['examples'] {
  const written = reading.object(value ?? null, path, ['positive', 'negative']);
  if (written === undefined) return { positive: [], negative: [] };
  const read = (name: 'positive' | 'negative'): readonly ExampleSketch[] => readSketches(written[name], [...path, name], reading);
  return { positive: read('positive'), negative: read('negative') };
}

function readIdentity(written: JsonObject, path: Path, reading: Reading): Pick<Rule, 'id' | 'title' | 'category'> {
  const id = reading.string(written['id'], [...path, 'id'], 64);
  if (id !== '' && !/^[A-Za-z][A-Za-z0-9]*([._-][A-Za-z0-9]+)*$/.test(id))
    reading.fault('rule_value', [...path, 'id'], {
      message: 'an id is letters and digits, with `.`, `_` or `-` between',
      hint: 'for example R001 or acme.no-prod',
    });
  if (id === MATCH_CUT_RULE) reading.fault('rule_value', [...path, 'id'], `\`${MATCH_CUT_RULE}\` is reserved for the matcher itself`);
  const category = reading.string(written['category'], [...path, 'category'], 64);
  if (category !== '' && !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(category))
    reading.fault('rule_value', [...path, 'category'], 'a category is lower-case words joined by `-`');
  return { id, title: reading.string(written['title'], [...path, 'title'], 120), category };
}

function readRule(value: JsonValue, path: Path, reading: Reading): WrittenRule | undefined {
  const written = reading.object(value, path, RULE_FIELDS);
  if (written === undefined) return undefined;
  const before = reading.faults.length;
  reading.leaves = 0;
  checkCondition({ value: written['when'], path: [...path, 'when'], depth: 1 }, reading);
  if (reading.leaves > RULE_LIMITS.leavesMax)
    reading.fault('rule_too_many', [...path, 'when'], `a rule may have at most ${RULE_LIMITS.leavesMax} fact tests`);
  const exemptable = written['exemptable'] ?? true;
  if (typeof exemptable !== 'boolean') reading.fault('rule_type', [...path, 'exemptable'], 'must be true or false');
  const rule: Rule = {
    ...readIdentity(written, path, reading),
    // `oneOf` gives one of the severities or has reported a fault.
    severity: reading.oneOf(written['severity'], [...path, 'severity'], SEVERITIES) as Severity,
    score: readScore(written['score'], [...path, 'score'], reading),
    level: written['level'] === undefined ? 1 : reading.integer(written['level'], [...path, 'level'], { min: 1, max: 4 }),
    kinds: expandKinds(written['kinds'], [...path, 'kinds'], reading),
    // Checked field by field above.
    when: withDictionaries(written['when'] ?? null, reading) as unknown as Condition,
    tags: readTags(written['tags'], [...path, 'tags'], reading),
    exemptable: exemptable === true,
  };
  const examples = readExamples(written['examples'], [...path, 'examples'], reading);
  if (reading.faults.length === before) checkPatterns(rule, path, reading);
  return { rule, examples };
}

/** Compiles the rule alone, so that a bad pattern is reported where it stands. */
function checkPatterns(rule: Rule, path: Path, reading: Reading): void {
  const compiled = compileRules({ version: 1, packs: [], rules: [{ ...rule, level: 1 }] });
  if (compiled.ok) return;
  for (const fault of compiled.error) {
    const steps = (fault.path ?? '')
      .split('/')
      .slice(3)
      .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
    // Faults of the compiler are rule faults by construction: `compileRules` makes no others.
    reading.fault(fault.code as RuleFaultCode, [...path, ...steps], { message: fault.message, hint: fault.hint });
  }
}

function readDocument(root: JsonValue, reading: Reading): RuleDocument {
  const document = reading.object(root, [], DOCUMENT_FIELDS);
  if (document === undefined) return { version: 1, pack: '', description: '', rules: [] };
  if (document['version'] !== 1) reading.fault('rule_value', ['version'], { message: 'the only version is 1', hint: 'write `version: 1`' });
  const pack = reading.string(document['pack'], ['pack'], 64);
  if (pack !== '' && !/^[a-z][a-z0-9]*([.-][a-z0-9]+)*$/.test(pack))
    reading.fault('rule_value', ['pack'], 'a pack name is lower-case words joined by `-` or `.`');
  const description = reading.string(document['description'], ['description'], 2048);
  reading.dictionaries = readDictionaries(document['dictionaries'], reading);
  return { version: 1, pack, description, rules: [...readRuleList(document, reading), ...readTemplates(document['dlp'], pack, reading)] };
}

function readRuleList(document: JsonObject, reading: Reading): readonly WrittenRule[] {
  // Templates bring rules of their own.
  if (document['rules'] === undefined && document['dlp'] !== undefined) return [];
  const rules: WrittenRule[] = [];
  const seen = new Set<string>();
  for (const [i, item] of reading.list(document['rules'], ['rules'], { min: 1, max: RULE_LIMITS.rulesMax }).entries()) {
    const written = readRule(item, ['rules', i], reading);
    if (written === undefined) continue;
    if (seen.has(written.rule.id))
      reading.fault('rule_duplicate_id', ['rules', i, 'id'], {
        message: `rule id \`${written.rule.id}\` is used twice in this document`,
        hint: 'rename one of them',
      });
    seen.add(written.rule.id);
    rules.push(written);
  }
  return rules;
}

function valueOf(node: unknown, step: string | number): { readonly key: unknown; readonly value: unknown } {
  if (isSeq(node)) return { key: undefined, value: typeof step === 'number' ? node.items[step] : undefined };
  if (!isMap(node)) return { key: undefined, value: undefined };
  const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(step));
  return { key: pair?.key, value: pair?.value };
}

/** The offset of the key or value that a path names; of the nearest thing around it where that is missing. */
function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    const { key, value } = valueOf(node, step);
    const place = isNode(key) ? key : value;
    if (isNode(place)) offset = place.range?.[0] ?? offset;
    if (value === undefined || value === null) return offset;
    node = value;
  }
  return offset;
}

function oneFault(
  source: string,
  code: RuleFaultCode,
  at: { readonly message: string; readonly line: number; readonly column: number; readonly offset: number },
): RuleFault[] {
  const { message, line, column, offset } = at;
  return [{ code, message, source, line, column, path: '', span: { start: offset, end: offset } }];
}

/** Nesting that the YAML library would have to recurse into; counted over brackets and indentation before it is asked. */
export function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text[i];
    if (unit === '[' || unit === '{') depth += 1;
    else if (unit === ']' || unit === '}') depth -= 1;
    else if (unit === '\n') depth = 0;
    if (depth > 64) return true;
  }
  return /^[ ]{129}/m.test(text) || /(?:[-?:] ){32}/.test(text);
}

/** Undefined where the nesting, spread over lines, is more than the library's stack holds. */
function parseBounded(text: string, lineCounter: LineCounter): Document | undefined {
  try {
    return parseDocument(text, { lineCounter, uniqueKeys: true, merge: false, schema: 'core', stringKeys: true, prettyErrors: false });
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

function readYaml(text: string, source: string): Result<{ root: JsonValue; locate: Locate }, RuleFault[]> {
  const start = { line: 1, column: 1, offset: 0 };
  if (text.length > RULE_LIMITS.documentCharsMax) {
    return err(
      oneFault(source, 'rule_too_large', {
        ...start,
        message: `a rule document may have at most ${RULE_LIMITS.documentCharsMax} characters`,
      }),
    );
  }
  if (isTooDeep(text)) return err(oneFault(source, 'rule_too_deep', { ...start, message: 'the document is nested too deeply' }));
  const lines = new LineCounter();
  const document = parseBounded(text, lines);
  if (document === undefined) return err(oneFault(source, 'rule_too_deep', { ...start, message: 'the document is nested too deeply' }));
  const [problem] = document.errors;
  if (problem !== undefined) {
    const [offset] = problem.pos;
    const { line, col } = lines.linePos(offset);
    return err(oneFault(source, 'rule_yaml', { message: problem.message.slice(0, 200), line, column: col, offset }));
  }
  const locate: Locate = (path) => {
    const offset = offsetOf(document, path);
    const { line, col } = lines.linePos(offset);
    return { offset, line, column: col };
  };
  try {
    // `toJS` of the core schema gives JSON values; aliases beyond the limit make it throw.
    const root = document.toJS({ maxAliasCount: RULE_LIMITS.aliasesMax }) as unknown;
    return isJsonObject(root)
      ? ok({ root, locate })
      : err(oneFault(source, 'rule_type', { ...start, message: 'a rule document must be a mapping' }));
  } catch {
    return err(
      oneFault(source, 'rule_yaml', {
        ...start,
        message: `the document expands more than ${RULE_LIMITS.aliasesMax} aliases, or one that is not there`,
      }),
    );
  }
}

/** Reads one document. All faults at once; `source` is the name that faults carry, such as a file name. */
export function parseRules(yamlText: string, source: string): Result<RuleDocument, RuleFault[]> {
  const yaml = readYaml(yamlText, source);
  if (!yaml.ok) return yaml;
  const reading = new Reading(source, yaml.value.locate);
  const document = readDocument(yaml.value.root, reading);
  return reading.faults.length > 0 ? err(reading.faults) : ok(document);
}
