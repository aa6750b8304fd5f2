/** @module One Sigma rule out of a file: what of it is imported, and everything that is not, with its place and why. */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import type { Severity } from '@countersign/protocol';
import type { Condition, ExampleSketch } from '../rule.ts';
import { allOf, anyOf, type Expression, type Remark, withoutUnseen } from './expression.ts';
import { readCondition } from './sigma-condition.ts';
import { type DetectionContext, readSelection, SigmaFault } from './sigma-detection.ts';
import { examplesOf } from './sigma-example.ts';
import { type Source, sourceOf } from './sigma-fields.ts';
import { toCondition } from './to-condition.ts';

/** A rule as a document of ours has it, before its examples were tried. */
export interface SigmaDraft {
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly severity: Severity;
  /** Above 0 and up to 1. */
  readonly score: number;
  readonly level: number;
  readonly kinds: readonly string[];
  readonly when: Condition;
  readonly tags: Readonly<Record<string, readonly string[]>>;
  readonly examples: readonly ExampleSketch[];
  /** Who wrote the Sigma rule, and under which licence, as it says itself. */
  readonly credit: string;
}

/** What became of one Sigma rule. */
export interface SigmaOutcome {
  readonly file: string;
  readonly title: string;
  /** `partly`: something is left out, and `remarks` says what. */
  readonly status: 'imported' | 'partly' | 'refused';
  readonly remarks: readonly Remark[];
  /** Undefined where it is refused. */
  readonly draft: SigmaDraft | undefined;
}

interface Weight {
  readonly severity: Severity;
  /** Of a rule for a log that people hunt in: it flags, and blocks only where its author calls it critical. */
  readonly hunting: number;
  /** Of a rule that was written for agents. */
  readonly agents: number;
}

const LEVELS: ReadonlyMap<string, Weight> = new Map([
  ['informational', { severity: 'info', hunting: 0.1, agents: 0.2 }],
  ['low', { severity: 'low', hunting: 0.25, agents: 0.4 }],
  ['medium', { severity: 'medium', hunting: 0.45, agents: 0.6 }],
  ['high', { severity: 'high', hunting: 0.65, agents: 0.85 }],
  ['critical', { severity: 'critical', hunting: 0.85, agents: 0.95 }],
]);
/** Paranoia levels by status; others are not imported. */
const STATUSES: ReadonlyMap<string, number> = new Map([
  ['stable', 1],
  ['test', 1],
  ['experimental', 2],
]);

/** A text without the space around it; `otherwise` where there is none. */
function word(value: JsonValue | undefined, otherwise = ''): string {
  const text = typeof value === 'string' ? value.trim() : '';
  return text === '' ? otherwise : text;
}

function wordsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]).map((item) => word(item)) : [];
}

function idOf(rule: JsonObject): string {
  const id = word(getOwn(rule, 'id')).toLowerCase();
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return `sigma.${id}`;
  const slug = word(getOwn(rule, 'title'))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 56)
    .replaceAll(/^-+|-+$/g, '');
  if (slug === '') throw new SigmaFault('id', 'a rule needs an id or a title');
  return `sigma.${slug}`;
}

function tagsOf(rule: JsonObject): Readonly<Record<string, readonly string[]>> {
  const atlas = new Set<string>();
  const cwe = new Set<string>();
  const owasp = new Set<string>();
  for (const tag of wordsOf(getOwn(rule, 'tags'))) {
    const technique = /^attack\.(t\d{4}(?:\.\d{3})?)$/i.exec(tag)?.[1] ?? /^atlas\.(aml\.t\d{4}(?:\.\d{3})?)$/i.exec(tag)?.[1];
    if (technique !== undefined) atlas.add(technique.toUpperCase());
    const weakness = /^cwe[.-](?:cwe-)?(\d{1,5})$/i.exec(tag)?.[1];
    if (weakness !== undefined) cwe.add(`CWE-${weakness}`);
    const risk = /^owasp\.((?:llm|asi)(?:0[1-9]|10))/i.exec(tag)?.[1];
    if (risk !== undefined) owasp.add(risk.toUpperCase());
  }
  const entries = Object.entries({ owasp, atlas, cwe }).map(([name, set]) => [name, [...set].slice(0, 16)] as const);
  return Object.fromEntries(entries.filter(([, list]) => list.length > 0));
}

interface LogSource {
  /** Empty where none is said, here and below. */
  readonly category: string;
  readonly service: string;
  readonly name: string;
}

function logSourceOf(rule: JsonObject): LogSource {
  const written = getOwn(rule, 'logsource') ?? {};
  if (!isJsonObject(written)) throw new SigmaFault('logsource', 'must be a map');
  for (const key of Object.keys(written))
    if (!['category', 'product', 'service', 'definition'].includes(key)) throw new SigmaFault(`logsource.${key}`, 'is not known');
  const [category = '', product = '', service = ''] = ['category', 'product', 'service'].map((key) => word(getOwn(written, key)));
  const name = [product, category, service].filter((part) => part !== '').join('/');
  return { category, service, name };
}

function contextOf(log: LogSource): DetectionContext {
  const source = sourceOf(log.category);
  const isForeign = log.service !== '' || (source === undefined && log.category !== '');
  return { source, keywordsRefused: isForeign ? `the log \`${log.name.slice(0, 64)}\` is nothing that an action shows` : undefined };
}

/** The detection as one expression. Selections that no condition names are read all the same, so that a fault in them is said. */
function detectionOf(rule: JsonObject, context: DetectionContext): Expression {
  const detection = getOwn(rule, 'detection');
  if (!isJsonObject(detection)) throw new SigmaFault('detection', 'must be a map of selections with a `condition`');
  const selections = new Map<string, Expression>();
  for (const name of Object.keys(detection)) {
    if (name === 'condition') continue;
    if (name === 'timeframe') throw new SigmaFault('detection.timeframe', 'looks at many events, and a rule sees one action');
    selections.set(name, readSelection(detection[name] ?? null, `detection.${name}`, context));
  }
  const written = getOwn(detection, 'condition');
  const conditions = typeof written === 'string' ? [written] : wordsOf(written);
  if (conditions.length === 0) throw new SigmaFault('detection.condition', 'must be a text, or a list of texts');
  return anyOf(
    conditions.map((condition) => {
      const read = readCondition(condition, selections);
      if (!read.ok) throw new SigmaFault('detection.condition', read.error);
      return read.value;
    }),
  );
}

function weightOf(rule: JsonObject): Weight {
  const level = word(getOwn(rule, 'level'), 'medium').toLowerCase();
  const weight = LEVELS.get(level);
  if (weight === undefined) throw new SigmaFault('level', `must be one of ${[...LEVELS.keys()].join(', ')}`);
  return weight;
}

function paranoiaOf(rule: JsonObject): number {
  const status = word(getOwn(rule, 'status'), 'test').toLowerCase();
  const level = STATUSES.get(status);
  if (level === undefined) throw new SigmaFault('status', `rules that are \`${status.slice(0, 64)}\` are not imported`);
  return level;
}

function kindsOf(source: Source | undefined, expression: Expression): readonly string[] {
  if (source === undefined || mentionsTexts(expression)) return ['any'];
  return source.factClass === 'path' ? ['run', 'write'] : ['run'];
}

function mentionsTexts(expression: Expression): boolean {
  if (expression.op === 'text') return true;
  if (expression.op === 'not') return mentionsTexts(expression.item);
  return (expression.op === 'and' || expression.op === 'or') && expression.items.some(mentionsTexts);
}

function creditOf(rule: JsonObject): string {
  const parts = [word(getOwn(rule, 'author')), word(getOwn(rule, 'license')), ...wordsOf(getOwn(rule, 'references')).slice(0, 4)];
  return parts.filter((part) => part !== '').join(', ');
}

function draftOf(rule: JsonObject): { readonly draft: SigmaDraft; readonly leftOut: readonly Remark[] } {
  for (const key of ['correlation', 'action', 'filter'])
    if (Object.hasOwn(rule, key)) throw new SigmaFault(key, 'joins several rules or events, and a rule sees one action');
  const log = logSourceOf(rule);
  const context = contextOf(log);
  const [weight, level] = [weightOf(rule), paranoiaOf(rule)];
  const { expression, leftOut } = withoutUnseen(allOf([detectionOf(rule, context)]));
  if (expression === undefined) {
    const [first] = leftOut;
    throw new SigmaFault(first?.path ?? 'detection', first?.why ?? 'nothing of it can be seen in an action');
  }
  const converted = toCondition(expression, context.source);
  if (!converted.ok) throw new SigmaFault('detection', converted.error);
  const { when, alternatives } = converted.value;
  const examples = examplesOf(expression, { alternatives, source: context.source });
  const title = word(getOwn(rule, 'title'), idOf(rule)).slice(0, 120);
  const category = `sigma-${(log.category === '' ? 'text' : log.category).toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
  const kinds = kindsOf(context.source, expression);
  const { severity } = weight;
  const score = context.source === undefined ? weight.agents : weight.hunting;
  const draft = {
    id: idOf(rule),
    title,
    category,
    severity,
    score,
    level,
    kinds,
    when,
    tags: tagsOf(rule),
    examples,
    credit: creditOf(rule),
  };
  return { draft, leftOut };
}

/** What becomes of one rule. */
export function readSigmaRule(value: JsonValue, file: string): SigmaOutcome {
  if (!isJsonObject(value))
    return { file, title: '', status: 'refused', remarks: [{ path: '', why: 'a Sigma rule is a map' }], draft: undefined };
  const title = word(getOwn(value, 'title')).slice(0, 120);
  try {
    const { draft, leftOut } = draftOf(value);
    return { file, title, status: leftOut.length === 0 ? 'imported' : 'partly', remarks: leftOut, draft };
  } catch (thrown) {
    if (!(thrown instanceof SigmaFault)) throw thrown;
    return { file, title, status: 'refused', remarks: [{ path: thrown.path, why: thrown.message }], draft: undefined };
  }
}
