/**
 * @module Rule set -> tables that the matcher walks. Thousands of rules cost what their candidates cost: texts go through one automaton,
 * and a fact test is looked up by the value or the literals that it needs.
 */
import { buildAutomaton, err, type Fault, type LiteralAutomaton, ok, pointer, type Result } from '@countersign/kernel';
import { isActionKind } from '@countersign/protocol';
import { compileFactTest, type FactLeaf, type StringsCheck } from './compile-facts.ts';
import { compileTextTest, type TextLeaf } from './compile-texts.ts';
import { compileDictionaries, type CompiledDictionaries } from './dictionaries.ts';
import { FACT_CLASSES, type FactClass } from './fact-fields.ts';
import { RULE_LIMITS } from './limits.ts';
import type { PatternFault } from './pattern-syntax.ts';
import type { CompiledPattern } from './pattern.ts';
import type { Condition, FactTest, Rule, RuleSet } from './rule.ts';
import { steer, type Steering } from './steering.ts';
import { QuietNames } from './quiet-names.ts';

/** A condition over numbered leaves. */
export type CompiledCondition =
  | { readonly op: 'leaf'; readonly leaf: number }
  | { readonly op: 'not'; readonly item: CompiledCondition }
  | { readonly op: 'some'; readonly least: number; readonly items: readonly CompiledCondition[] };

export interface CompiledRule {
  readonly rule: Rule;
  readonly condition: CompiledCondition;
  /** Its leaves in order of writing; `denied` for those under a `not`, which give no evidence. */
  readonly leaves: readonly { readonly leaf: number; readonly denied: boolean }[];
}

export type Leaf = TextLeaf | FactLeaf;

/** Leaves of one class that are found by a field: by its whole value, or by a literal in it. */
export interface FieldIndex {
  readonly read: StringsCheck['read'];
  readonly byValue: ReadonlyMap<string, readonly number[]>;
  readonly automaton: LiteralAutomaton | undefined;
  readonly byLiteral: readonly (readonly number[])[];
}

export interface ClassIndex {
  readonly fields: readonly FieldIndex[];
  /** Leaves that no value or literal leads to: tried on every fact of the class. */
  readonly always: readonly number[];
}

export interface TextPattern {
  readonly leaf: number;
  /** Position in the `any` list. */
  readonly position: number;
  readonly pattern: CompiledPattern;
}

/** What the rules have to say on one kind of action. */
export interface Speaking {
  /** One byte a rule: 1 where it speaks on this kind. */
  readonly rules: Uint8Array;
  /** Roles of texts that one of them looks at. */
  readonly roles: ReadonlySet<string>;
}

/** Opaque to callers; only `matchRules` looks inside. */
export interface CompiledRules {
  readonly rules: readonly CompiledRule[];
  readonly leaves: readonly Leaf[];
  /** Rule of each leaf. */
  readonly ruleOf: Int32Array;
  readonly texts: {
    readonly automaton: LiteralAutomaton;
    readonly patterns: readonly TextPattern[];
    readonly byLiteral: readonly (readonly number[])[];
    /** By pattern: sets of literals, by number, each of which must be in the text. */
    readonly further: readonly (readonly (readonly number[])[])[];
  };
  readonly dictionaries: CompiledDictionaries | undefined;
  readonly classes: ReadonlyMap<FactClass, ClassIndex>;
  /** Which rules speak on a kind of action; filled as kinds are seen. */
  readonly speakingByKind: Map<string, Speaking>;
  /** Marks of the text that is being read; meaningless between two calls. */
  readonly scratch: Scratch;
}

/** Marks by pattern and by leaf. A mark counts only when its stamp is the current epoch, so nothing is cleared between texts. */
export interface Scratch {
  epoch: number;
  readonly patternStamp: Float64Array;
  /** Where the window of the last hit began. */
  readonly anchors: Int32Array;
  readonly hits: Int32Array;
  /** Code units of windows without a match. */
  readonly inVain: Float64Array;
  /** By literal of texts: in which epoch it was seen. */
  readonly literalStamp: Float64Array;
  /** Candidates of the text in order: pattern and place in turn. */
  readonly pending: number[];
  /** Names that no rule on keys asks for, and those that no text pattern finds anything in. */
  readonly quietKeys: QuietNames;
  readonly quietTexts: QuietNames;
  readonly leafStamp: Float64Array;
  readonly looks: Uint8Array;
}

export type RulesFault = Fault<
  PatternFault['code'] | 'rule_duplicate_id' | 'rule_too_many' | 'rule_unbound' | 'rule_field' | 'rule_too_large'
>;

class RuleCompiler {
  readonly rules: CompiledRule[] = [];
  readonly leaves: Leaf[] = [];
  readonly ruleOf: number[] = [];
  readonly faults: RulesFault[] = [];

  add(rule: Rule, path: string): void {
    const leaves: { leaf: number; denied: boolean }[] = [];
    const place = { index: this.rules.length, leaves };
    const condition = this.condition(rule.when, { place, path: `${path}/when`, denied: false });
    if (!needsAFact(condition)) {
      const hint = 'add a positive test beside the `not`';
      this.faults.push({
        code: 'rule_unbound',
        message: `rule \`${rule.id}\` could hold without any fact being there`,
        path: `${path}/when`,
        hint,
      });
    }
    this.rules.push({ rule, condition, leaves });
  }

  condition(
    written: Condition,
    at: { readonly place: { index: number; leaves: { leaf: number; denied: boolean }[] }; readonly path: string; readonly denied: boolean },
  ): CompiledCondition {
    const inside = (items: readonly Condition[], key: string): readonly CompiledCondition[] =>
      items.map((item, i) => this.condition(item, { ...at, path: `${at.path}/${key}/${i}` }));
    if ('all' in written) return { op: 'some', least: written.all.length, items: inside(written.all, 'all') };
    if ('any' in written) return { op: 'some', least: 1, items: inside(written.any, 'any') };
    if ('not' in written) return { op: 'not', item: this.condition(written.not, { ...at, path: `${at.path}/not`, denied: !at.denied }) };
    if ('of' in written) return { op: 'some', least: written.at_least, items: inside(written.of, 'of') };
    const leaf = this.leaves.length;
    this.leaves.push(this.leaf(written, at.path));
    this.ruleOf.push(at.place.index);
    at.place.leaves.push({ leaf, denied: at.denied });
    return { op: 'leaf', leaf };
  }

  leaf(written: Condition, path: string): Leaf {
    const report = (fault: PatternFault, where: string): void => {
      this.faults.push({
        code: fault.code,
        message: fault.message,
        path: where,
        span: { start: fault.start, end: fault.end },
        hint: fault.hint,
      });
    };
    if ('text' in written) return compileTextTest(written.text, pointer(path, 'text'), report);
    for (const factClass of FACT_CLASSES) {
      const test: FactTest | undefined = Object.hasOwn(written, factClass)
        ? (written as { readonly [K in FactClass]?: FactTest })[factClass]
        : undefined;
      if (test !== undefined) return compileFactTest({ factClass, test, path: pointer(path, factClass) }, report);
    }
    report(
      {
        code: 'pattern_syntax',
        message: 'a condition names no known fact',
        start: 0,
        end: 0,
        hint: `use \`text\` or one of ${FACT_CLASSES.join(', ')}`,
      },
      path,
    );
    return compileFactTest({ factClass: 'cut', test: {}, path }, report);
  }
}

/** True when the condition cannot hold unless at least one leaf does. */
function needsAFact(condition: CompiledCondition): boolean {
  if (condition.op === 'leaf') return true;
  if (condition.op === 'not') return false;
  const bound = condition.items.filter(needsAFact).length;
  return condition.items.length - bound < condition.least;
}

function append<K>(map: Map<K, number[]>, key: K, value: number): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function listsByLiteral(entries: readonly { readonly literals: readonly string[] }[]): Map<string, number[]> {
  const lists = new Map<string, number[]>();
  for (const [id, entry] of entries.entries()) for (const literal of entry.literals) append(lists, literal, id);
  return lists;
}

function indexByLiteral(entries: readonly { readonly literals: readonly string[] }[]): {
  automaton: LiteralAutomaton;
  byLiteral: readonly (readonly number[])[];
} {
  const lists = listsByLiteral(entries);
  return { automaton: buildAutomaton([...lists.keys()]), byLiteral: [...lists.values()] };
}

/** The same for texts, where literals that lead to no pattern are searched besides: those that a text must hold as well. */
function indexTexts(patterns: readonly TextPattern[]): CompiledRules['texts'] {
  const lists = listsByLiteral(patterns.map(({ pattern }) => pattern));
  for (const { pattern } of patterns) for (const literal of pattern.further.flat()) if (!lists.has(literal)) lists.set(literal, []);
  const numbers = new Map([...lists.keys()].map((literal, number) => [literal, number]));
  return {
    automaton: buildAutomaton([...lists.keys()]),
    patterns,
    byLiteral: [...lists.values()],
    further: patterns.map(({ pattern }) => pattern.further.map((set) => set.map((literal) => numbers.get(literal) ?? 0))),
  };
}

/** The check that leads to a leaf most cheaply: whole values before literals; none where a leaf must be tried always. */
function leadOf(leaf: FactLeaf): { readonly check: StringsCheck; readonly patterns: readonly CompiledPattern[] } | undefined {
  const usable = leaf.checks.flatMap((check) => (check.type === 'strings' && check.any.length > 0 ? [{ check, patterns: check.any }] : []));
  const searchable = usable.filter(({ patterns }) => patterns.every((pattern) => pattern.literals.length > 0));
  return searchable.find(({ patterns }) => patterns.every((pattern) => pattern.equal !== undefined)) ?? searchable[0];
}

function leavesOf(list: readonly number[], entries: readonly { readonly leaf: number }[]): readonly number[] {
  const found = new Set<number>();
  for (const entry of list) found.add(entries[entry]?.leaf ?? 0);
  return [...found];
}

function buildClassIndex(leaves: readonly Leaf[], factClass: FactClass): ClassIndex {
  const always: number[] = [];
  const fields = new Map<
    string,
    { read: StringsCheck['read']; byValue: Map<string, number[]>; entries: { leaf: number; literals: readonly string[] }[] }
  >();
  for (const [id, leaf] of leaves.entries()) {
    if (leaf.type !== 'fact' || leaf.factClass !== factClass) continue;
    const lead = leadOf(leaf);
    if (lead === undefined) {
      always.push(id);
      continue;
    }
    const field = fields.get(lead.check.field) ?? { read: lead.check.read, byValue: new Map<string, number[]>(), entries: [] };
    fields.set(lead.check.field, field);
    for (const pattern of lead.patterns) {
      if (pattern.equal === undefined) field.entries.push({ leaf: id, literals: pattern.literals });
      else append(field.byValue, pattern.equal, id);
    }
  }
  const built = [...fields.values()].map((field): FieldIndex => {
    if (field.entries.length === 0) return { read: field.read, byValue: field.byValue, automaton: undefined, byLiteral: [] };
    const { automaton, byLiteral } = indexByLiteral(field.entries);
    return {
      read: field.read,
      byValue: field.byValue,
      automaton,
      byLiteral: byLiteral.map((list) => leavesOf(list, field.entries)),
    };
  });
  return { fields: built, always };
}

function checkSet(ruleSet: RuleSet): RulesFault[] {
  const faults: RulesFault[] = [];
  if (ruleSet.rules.length > RULE_LIMITS.rulesMax) {
    faults.push({
      code: 'rule_too_many',
      message: `a rule set may hold at most ${RULE_LIMITS.rulesMax} rules`,
      hint: 'leave some packs out',
    });
  }
  const seen = new Set<string>();
  for (const [i, rule] of ruleSet.rules.entries()) {
    if (seen.has(rule.id))
      faults.push({
        code: 'rule_duplicate_id',
        message: `rule id \`${rule.id}\` is used twice`,
        path: `/rules/${i}/id`,
        hint: 'rename one of them',
      });
    seen.add(rule.id);
  }
  return faults;
}

function createScratch({ patterns, literals, leaves }: { patterns: number; literals: number; leaves: number }): Scratch {
  return {
    epoch: 0,
    patternStamp: new Float64Array(patterns),
    anchors: new Int32Array(patterns),
    hits: new Int32Array(patterns),
    inVain: new Float64Array(patterns),
    literalStamp: new Float64Array(literals),
    pending: [],
    quietKeys: new QuietNames(),
    quietTexts: new QuietNames(),
    leafStamp: new Float64Array(leaves),
    looks: new Uint8Array(leaves),
  };
}

/**
 * Compiles what speaks of a rule set under a steering; refuses it whole, with every reason, when one pattern is unsafe or the steering
 * weakens what it may not.
 */
export function compileRules(ruleSet: RuleSet, steering: Steering = {}): Result<CompiledRules, Fault[]> {
  const faults = checkSet(ruleSet);
  if (faults.length > 0) return err(faults);
  const steered = steer(ruleSet, steering);
  if (!steered.ok) return steered;
  const compiler = new RuleCompiler();
  for (const { rule, index } of steered.value) compiler.add(rule, `/rules/${index}`);
  if (compiler.faults.length > 0) return err(compiler.faults.slice(0, RULE_LIMITS.faultsMax));
  const { leaves } = compiler;
  const patterns: TextPattern[] = leaves.flatMap((leaf, id) =>
    leaf.type === 'text' ? leaf.any.map((pattern, position) => ({ leaf: id, position, pattern })) : [],
  );
  const texts = indexTexts(patterns);
  const words = compileDictionaries(leaves.flatMap((leaf, id) => (leaf.type === 'text' ? [{ leaf: id, words: leaf.words }] : [])));
  if (!words.ok) return err([{ code: 'rule_too_many', message: words.error, hint: 'use shorter dictionaries' }]);
  const classes = new Map(FACT_CLASSES.map((factClass) => [factClass, buildClassIndex(leaves, factClass)] as const));
  const scratch = createScratch({ patterns: patterns.length, literals: texts.byLiteral.length, leaves: leaves.length });
  const ruleOf = Int32Array.from(compiler.ruleOf);
  const tables = { texts, dictionaries: words.value, classes };
  return ok({ rules: compiler.rules, leaves, ruleOf, ...tables, speakingByKind: new Map(), scratch });
}

const KINDS_KEPT = 64;

function speaksOn(rule: Rule, kind: string): boolean {
  return rule.kinds.some((pattern) => (pattern.endsWith('*') ? kind.startsWith(pattern.slice(0, -1)) : pattern === kind));
}

/** Which rules speak on this kind of action, and which texts they look at. */
export function speakingOn(compiled: CompiledRules, kind: string): Speaking {
  const known = compiled.speakingByKind.get(kind);
  if (known !== undefined) return known;
  const rules = Uint8Array.from(compiled.rules, ({ rule }) => (speaksOn(rule, kind) ? 1 : 0));
  const roles = new Set<string>();
  for (const [id, leaf] of compiled.leaves.entries()) {
    if (leaf.type === 'text' && rules[compiled.ruleOf[id] ?? 0] === 1) for (const role of leaf.roles) roles.add(role);
  }
  const speaking = { rules, roles };
  if (isActionKind(kind) && compiled.speakingByKind.size < KINDS_KEPT) compiled.speakingByKind.set(kind, speaking);
  return speaking;
}
