/**
 * @module The condition of a Sigma rule: `and`, `or`, `not`, parentheses, `1 of`, `any of`, `all of` with a name pattern or `them`. `not` binds
 * closer than `and`, `and` closer than `or`.
 */
import { err, ok, type Result } from '@countersign/kernel';
import { allOf, anyOf, type Expression } from './expression.ts';
import { SIGMA_LIMITS } from './sigma-limits.ts';

class Refused extends Error {}

const WORD = /\s*(\(|\)|\||[^\s()|]+)/y;

function wordsOf(text: string): readonly string[] {
  if (text.length > SIGMA_LIMITS.conditionCharsMax)
    throw new Refused(`a condition may have at most ${SIGMA_LIMITS.conditionCharsMax} characters`);
  const words: string[] = [];
  WORD.lastIndex = 0;
  for (let found = WORD.exec(text); found !== null; found = WORD.exec(text)) {
    words.push(found[1] ?? '');
    if (found[1] === '|') throw new Refused('aggregations (after `|`) look at many events, and a rule sees one action');
  }
  return words;
}

/** Names that a pattern with `*` stands for. Names that begin with `_` are only ever named whole. */
function namesLike(pattern: string, names: readonly string[]): readonly string[] {
  const parts = pattern.toLowerCase() === 'them' ? [''] : pattern.split('*');
  if (pattern.toLowerCase() === 'them') return names.filter((name) => !name.startsWith('_'));
  return names.filter((name) => {
    const [head = '', ...rest] = parts;
    const tail = rest.pop();
    if (tail === undefined) return name === head;
    if (!name.startsWith(head) || !name.endsWith(tail) || name.length < head.length + tail.length) return false;
    let from = head.length;
    for (const part of rest) {
      const at = name.indexOf(part, from);
      if (at === -1 || at + part.length > name.length - tail.length) return false;
      from = at + part.length;
    }
    return true;
  });
}

class ConditionReader {
  readonly words: readonly string[];
  readonly selections: ReadonlyMap<string, Expression>;
  at = 0;
  depth = 0;

  constructor(text: string, selections: ReadonlyMap<string, Expression>) {
    this.words = wordsOf(text);
    this.selections = selections;
  }

  peek(): string {
    return this.words[this.at]?.toLowerCase() ?? '';
  }

  take(word: string): boolean {
    if (this.peek() !== word) return false;
    this.at += 1;
    return true;
  }

  within<T>(read: () => T): T {
    this.depth += 1;
    if (this.depth > SIGMA_LIMITS.conditionDepthMax) throw new Refused(`a condition may be nested ${SIGMA_LIMITS.conditionDepthMax} deep`);
    const value = read();
    this.depth -= 1;
    return value;
  }

  or(): Expression {
    const items = [this.and()];
    while (this.take('or')) items.push(this.and());
    return anyOf(items);
  }

  and(): Expression {
    const items = [this.not()];
    while (this.take('and')) items.push(this.not());
    return allOf(items);
  }

  not(): Expression {
    if (this.take('not')) return this.within(() => ({ op: 'not', item: this.not() }));
    if (!this.take('(')) return this.named();
    return this.within(() => {
      const inside = this.or();
      if (!this.take(')')) throw new Refused('a `(` is not closed');
      return inside;
    });
  }

  named(): Expression {
    const word = this.words[this.at];
    if (word === undefined || ['and', 'or', ')', 'of'].includes(word.toLowerCase()))
      throw new Refused(word === undefined ? 'the condition ends too early' : `\`${word.slice(0, 64)}\` stands where a selection should`);
    this.at += 1;
    if (this.peek() === 'of') return this.several(word.toLowerCase());
    const selection = this.selections.get(word);
    if (selection === undefined) throw new Refused(`there is no selection \`${word.slice(0, 64)}\``);
    return selection;
  }

  several(count: string): Expression {
    this.at += 1;
    const pattern = this.words[this.at] ?? '';
    this.at += 1;
    if (!['1', 'any', 'all'].includes(count)) throw new Refused(`\`${count.slice(0, 64)} of\` is not known: use 1, any or all`);
    const names = namesLike(pattern, [...this.selections.keys()]);
    if (names.length === 0) throw new Refused(`\`${count} of ${pattern.slice(0, 64)}\` names no selection`);
    const items = names.flatMap((name) => this.selections.get(name) ?? []);
    return count === 'all' ? allOf(items) : anyOf(items);
  }
}

/** Reads a condition over named selections; or why it cannot be read. */
export function readCondition(text: string, selections: ReadonlyMap<string, Expression>): Result<Expression, string> {
  try {
    const reader = new ConditionReader(text, selections);
    const expression = reader.or();
    const rest = reader.words[reader.at];
    return rest === undefined ? ok(expression) : err(`\`${rest.slice(0, 64)}\` stands where the condition should end`);
  } catch (thrown) {
    if (thrown instanceof Refused) return err(thrown.message);
    throw thrown;
  }
}
