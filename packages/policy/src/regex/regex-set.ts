/**
 * @module Many regular expressions searched in one pass, in linear time, with the extent of each match.
 */
import { err, ok, type Result } from '@countersign/kernel';
import { POLICY_LIMITS } from '../limits.ts';
import { ambiguityOf } from './ambiguity.ts';
import { Automaton, type ScanMeter } from './automaton.ts';
import { parseRegex, type RegexNode } from './parse.ts';
import { buildProgram, type Program } from './program.ts';

export type { ScanMeter } from './automaton.ts';

/** Why one expression is refused. */
export interface RegexFault {
  readonly code: 'policy_regex' | 'policy_regex_unsafe';
  readonly message: string;
  /** Offset in the expression. */
  readonly at: number;
}

/** One match. */
export interface RegexHit {
  /** Index of the expression in its set. */
  readonly index: number;
  readonly start: number;
  /** End of the longest match from `start`. */
  readonly end: number;
  /** End of the shortest match from `start`: what the expression itself asks for. */
  readonly shortEnd: number;
}

export interface RegexSet {
  readonly patterns: readonly string[];
  search(text: string, meter: ScanMeter): readonly RegexHit[];
}

/** A meter for one evaluation. */
export function createMeter(limit: number = POLICY_LIMITS.scanStepsMax): ScanMeter {
  return { steps: 0, limit, cut: false };
}

/** Could it match without reading? Assertions are taken to hold. */
function readsNothing(node: RegexNode): boolean {
  if (node.is === 'set') return false;
  if (node.is === 'assert') return true;
  if (node.is === 'repeat') return node.min === 0 || readsNothing(node.item);
  return node.is === 'sequence' ? node.items.every(readsNothing) : node.items.some(readsNothing);
}

/** The tree of one expression, when it is fit to run. */
export function checkRegex(pattern: string): Result<RegexNode, RegexFault> {
  const tree = parseRegex(pattern);
  if (!tree.ok) return err({ code: 'policy_regex', ...tree.error });
  const program = buildProgram([tree.value], { anchored: true });
  if (!program.ok)
    return err({
      code: 'policy_regex_unsafe',
      message: `counts unfold to more than ${String(POLICY_LIMITS.regexInstructionsMax)} instructions`,
      at: 0,
    });
  if (readsNothing(tree.value))
    return err({ code: 'policy_regex', message: 'matches the empty text, so it would match everything', at: 0 });
  const ambiguity = ambiguityOf(program.value);
  if (ambiguity === 'exponential')
    return err({
      code: 'policy_regex_unsafe',
      message: 'a repetition inside a repetition can match one text in many ways (exponential)',
      at: 0,
    });
  if (ambiguity === 'too-complex')
    return err({ code: 'policy_regex_unsafe', message: 'the repeated part is too large to be checked', at: 0 });
  return tree;
}

/** Finds how far one known match reaches. */
class Extent {
  readonly #tree: RegexNode;
  #back: Automaton | undefined;
  #forward: Automaton | undefined;

  constructor(tree: RegexNode) {
    this.#tree = tree;
  }

  static #automaton(tree: RegexNode, reverse: boolean): Automaton | undefined {
    const program = buildProgram([tree], { reverse, anchored: true });
    return program.ok ? new Automaton(program.value) : undefined;
  }

  /** `end` is where a match is known to end; `floor` is where an earlier match ended. */
  reach(text: string, known: { readonly end: number; readonly floor: number }, meter: ScanMeter): Omit<RegexHit, 'index'> {
    this.#back ??= Extent.#automaton(this.#tree, true);
    this.#forward ??= Extent.#automaton(this.#tree, false);
    let start = known.end;
    const from = Math.max(known.floor, known.end - POLICY_LIMITS.regexMatchCharsMax);
    this.#back?.run(
      text,
      { from: known.end, to: from },
      {
        meter,
        onHit: (_, at) => {
          start = at;
          return true;
        },
      },
    );
    let shortEnd = -1;
    let end = known.end;
    const to = Math.min(text.length, start + POLICY_LIMITS.regexMatchCharsMax);
    this.#forward?.run(
      text,
      { from: start, to },
      {
        meter,
        onHit: (_, at) => {
          if (shortEnd === -1) shortEnd = at;
          end = Math.max(end, at);
          return true;
        },
      },
    );
    return { start, end, shortEnd: shortEnd === -1 ? end : shortEnd };
  }
}

const NO_HITS: readonly RegexHit[] = [];

/** Matches of one text, each with its extent. */
class HitList {
  readonly text: string;
  readonly meter: ScanMeter;
  readonly #extents: readonly Extent[];
  /** Undefined while there are none: nearly always. */
  hits: RegexHit[] | undefined;
  /** Where the last match of each expression ended, and how many there were; undefined like `hits`. */
  #lastEnd: number[] | undefined;
  #counts: number[] | undefined;

  constructor(text: string, meter: ScanMeter, extents: readonly Extent[]) {
    this.text = text;
    this.meter = meter;
    this.#extents = extents;
  }

  onHit(ids: readonly number[], at: number): boolean {
    const lastEnd = (this.#lastEnd ??= []);
    const counts = (this.#counts ??= []);
    for (const index of ids) {
      const floor = lastEnd[index] ?? 0;
      const count = counts[index] ?? 0;
      if (count >= POLICY_LIMITS.regexHitsMax || at <= floor) continue;
      const reach = this.#extents[index]?.reach(this.text, { end: at, floor }, this.meter) ?? { start: at, end: at, shortEnd: at };
      this.hits ??= [];
      this.hits.push({ index, ...reach });
      lastEnd[index] = reach.end;
      counts[index] = count + 1;
    }
    return true;
  }
}

class LinearRegexSet implements RegexSet {
  readonly patterns: readonly string[];
  readonly #search: Automaton;
  readonly #extents: readonly Extent[];

  constructor(patterns: readonly string[], trees: readonly RegexNode[], program: Program) {
    this.patterns = patterns;
    this.#search = new Automaton(program);
    this.#extents = trees.map((tree) => new Extent(tree));
  }

  search(text: string, meter: ScanMeter): readonly RegexHit[] {
    if (this.patterns.length === 0 || text === '') return NO_HITS;
    const found = new HitList(text, meter, this.#extents);
    this.#search.run(text, { from: 0, to: text.length }, found);
    return found.hits ?? NO_HITS;
  }
}

/** Compiles expressions that were checked one by one; the error names the one that does not fit. */
export function compileRegexSet(patterns: readonly string[]): Result<RegexSet, RegexFault & { readonly index: number }> {
  const trees: RegexNode[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const tree = checkRegex(pattern);
    if (!tree.ok) return err({ ...tree.error, index });
    trees.push(tree.value);
  }
  const program = buildProgram(trees);
  if (!program.ok)
    return err({
      code: 'policy_regex_unsafe',
      message: 'the expressions of this guard are too large together',
      at: 0,
      index: program.error,
    });
  return ok(new LinearRegexSet(patterns, trees, program.value));
}
