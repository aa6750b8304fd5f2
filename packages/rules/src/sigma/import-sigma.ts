/**
 * @module Sigma rules to a rule document: text in, text and a report out. What cannot be expressed is said by file, rule and place; nothing is
 * taken over that means something else.
 */
import type { JsonValue } from '@countersign/kernel';
import { type Document, isMap, isScalar, isSeq, parseAllDocuments, stringify } from 'yaml';
import { compileRules } from '../compile-rules.ts';
import { isTooDeep, parseRules } from '../read-rules.ts';
import type { ExampleSketch } from '../rule.ts';
import { readSigmaRule, type SigmaDraft, type SigmaOutcome } from './read-sigma.ts';
import { SIGMA_LIMITS } from './sigma-limits.ts';

/** One file as it was read. */
export interface SigmaFile {
  readonly name: string;
  readonly text: string;
}

/** What the document is called. */
export interface SigmaPack {
  readonly pack: string;
  readonly description: string;
}

function refused(file: string, why: string, title = ''): SigmaOutcome {
  return { file, title, status: 'refused', remarks: [{ path: '', why }], draft: undefined };
}

/** Undefined where the nesting is more than the library's stack holds. */
function parseBounded(text: string): readonly Document.Parsed[] | undefined {
  try {
    const options = { uniqueKeys: true, merge: false, schema: 'core', stringKeys: true, prettyErrors: false } as const;
    const documents = parseAllDocuments(text, options);
    return Array.isArray(documents) ? documents : [];
  } catch (thrown) {
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

function hasTags(node: unknown): boolean {
  if (isMap(node)) return node.items.some(({ key, value }) => hasTags(key) || hasTags(value)) || node.tag?.startsWith('!') === true;
  if (isSeq(node)) return node.items.some(hasTags) || node.tag?.startsWith('!') === true;
  return isScalar(node) && node.tag?.startsWith('!') === true;
}

function readFile({ name, text }: SigmaFile): readonly SigmaOutcome[] {
  if (text.length > SIGMA_LIMITS.fileCharsMax) return [refused(name, `a file may have at most ${SIGMA_LIMITS.fileCharsMax} characters`)];
  const documents = isTooDeep(text) ? undefined : parseBounded(text);
  if (documents === undefined) return [refused(name, 'the file is nested too deeply')];
  if (documents.length === 0) return [refused(name, 'the file holds no rule')];
  return documents.map((document) => readDocument(document, name));
}

function readDocument(document: Document.Parsed, name: string): SigmaOutcome {
  const [problem] = document.errors;
  if (problem !== undefined) return refused(name, `not YAML: ${problem.message.split('\n')[0]?.slice(0, 200) ?? ''}`);
  try {
    if (hasTags(document.contents)) return refused(name, 'tags are not used in rules');
    // `toJS` of the core schema gives JSON values; aliases beyond the limit make it throw.
    return readSigmaRule(document.toJS({ maxAliasCount: 64 }) as JsonValue, name);
  } catch (thrown) {
    if (thrown instanceof ReferenceError) return refused(name, 'the file expands too many aliases, or one that is not there');
    if (thrown instanceof RangeError) return refused(name, 'the file is nested too deeply');
    throw thrown;
  }
}

/** Why the rule does not compile, or undefined. */
function compileRemark(draft: SigmaDraft): string | undefined {
  const written = documentText([{ draft, examples: { positive: [{ shell: 'x' }], negative: [{ shell: 'y' }] } }], {
    pack: 'sigma',
    description: 'x',
  });
  const read = parseRules(written, 'sigma.yaml');
  if (!read.ok) return read.error.map(({ message, path }) => `${message} (${path ?? ''})`)[0] ?? 'is refused';
  const rules = read.value.rules.map(({ rule }) => rule);
  const compiled = compileRules({ version: 1, packs: [], rules }, { level: 4 });
  return compiled.ok ? undefined : (compiled.error[0]?.message ?? 'is refused');
}

function checked(outcome: SigmaOutcome): SigmaOutcome {
  const { draft } = outcome;
  if (draft === undefined) return outcome;
  const why = compileRemark(draft);
  return why === undefined ? outcome : { ...outcome, status: 'refused', remarks: [{ path: 'detection', why }], draft: undefined };
}

/** Reads Sigma rules. Each outcome is of one rule, or of a file that holds none. */
export function importSigma(files: readonly SigmaFile[]): readonly SigmaOutcome[] {
  const seen = new Set<string>();
  const read = files.flatMap(readFile);
  return read.map((outcome, i) => {
    if (i >= SIGMA_LIMITS.rulesMax) return refused(outcome.file, `more than ${SIGMA_LIMITS.rulesMax} rules`, outcome.title);
    const { draft } = outcome;
    if (draft !== undefined && seen.has(draft.id)) return refused(outcome.file, `another rule has the id \`${draft.id}\``, outcome.title);
    if (draft !== undefined) seen.add(draft.id);
    return checked(outcome);
  });
}

/** A draft with the examples that hold. */
export interface SigmaRule {
  readonly draft: SigmaDraft;
  readonly examples: { readonly positive: readonly ExampleSketch[]; readonly negative: readonly ExampleSketch[] };
}

function documentText(rules: readonly SigmaRule[], { pack, description }: SigmaPack): string {
  const written = rules.map(({ draft, examples }) => {
    const { id, title, category, severity, score, level, kinds, when, tags } = draft;
    const head = { id, title, category, severity, score, level, kinds, when };
    return Object.keys(tags).length === 0 ? { ...head, examples } : { ...head, tags, examples };
  });
  return stringify({ version: 1, pack, description, rules: written }, { lineWidth: 0, aliasDuplicateObjects: false, singleQuote: true });
}

function commentOf({ draft }: SigmaRule): string {
  const lines = [`${draft.id}: ${draft.title}`, draft.credit].filter((line) => line !== '');
  return lines.map((line) => `# ${line.replaceAll(/[\r\n\u0085\u2028\u2029]+/g, ' ')}\n`).join('');
}

/** The document, with whom each rule is from. */
export function sigmaDocument(rules: readonly SigmaRule[], pack: SigmaPack): string {
  return `# Made from Sigma rules by \`countersign rules import-sigma\`. Each is its author's; see its licence.\n${rules.map(commentOf).join('')}${documentText(rules, pack)}`;
}
