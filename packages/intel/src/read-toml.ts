/**
 * @module The part of TOML 1.0 that manifests of guard packages are written in: tables, lists of tables, bare, quoted and dotted keys,
 * strings on one line, whole numbers, booleans, lists and inline tables. What is not in it (dates, fractions, strings over several lines) is
 * refused with its line, and so is a key that is said twice. One pass, linear.
 */
import { err, type Fault, type JsonObject, type JsonValue, ok, type Result } from '@countersign/kernel';
import { INTEL_LIMITS as LIMITS } from './limits.ts';

type Table = Map<string, Node>;
type Node = JsonValue | Table | TableList;

/** `[[name]]`: more may follow. */
class TableList {
  readonly tables: Table[] = [];
}

class TomlStop extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['t', '\t'],
  ['n', '\n'],
  ['f', '\f'],
  ['r', '\r'],
  ['"', '"'],
  ['\\', '\\'],
]);
const DEPTH_MAX = 8;

class TomlReader {
  readonly #text: string;
  readonly #root: Table = new Map();
  /** Tables whose header was written: a second one is a mistake. */
  readonly #headed = new Set<Table>();
  /** Tables that were written out as a value: nothing is added to them. */
  readonly #closed = new Set<Table>();
  #at = 0;
  #line = 1;
  #entries = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonObject {
    let table = this.#root;
    for (;;) {
      this.#skipLines();
      if (this.#at >= this.#text.length) return plain(this.#root);
      if (this.#peek() === '[') table = this.#header();
      else this.#pair(table);
      this.#endOfLine();
    }
  }

  #stop(message: string): never {
    throw new TomlStop(this.#line, message);
  }

  #peek(): string {
    return this.#text[this.#at] ?? '';
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #take(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) this.#stop(`expected \`${text}\``);
  }

  #blanks(): void {
    this.#match(/[ \t]*/y);
  }

  #skipLines(): void {
    for (;;) {
      this.#match(/[ \t]*(?:#[^\n]*)?/y);
      if (this.#match(/\r?\n/y) === undefined) return;
      this.#line += 1;
    }
  }

  #endOfLine(): void {
    this.#match(/[ \t]*(?:#[^\n\r]*)?/y);
    if (this.#at < this.#text.length && !/^\r?\n/.test(this.#text.slice(this.#at, this.#at + 2)))
      this.#stop('something stands behind the value');
  }

  #count(): void {
    this.#entries += 1;
    if (this.#entries > LIMITS.manifestEntriesMax) this.#stop(`more than ${String(LIMITS.manifestEntriesMax)} entries`);
  }

  #key(): string {
    const bare = this.#match(/[A-Za-z0-9_-]{1,128}/y);
    if (bare !== undefined) return bare;
    const quote = this.#peek();
    if (quote === '"' || quote === "'") return this.#string(quote);
    return this.#stop('expected a key');
  }

  #path(): readonly string[] {
    const path = [this.#key()];
    for (this.#blanks(); this.#take('.'); this.#blanks()) {
      this.#blanks();
      path.push(this.#key());
      if (path.length > DEPTH_MAX) this.#stop(`nested deeper than ${String(DEPTH_MAX)}`);
    }
    return path;
  }

  /** The table at `path`, made where it is not there. */
  #tableAt(from: Table, path: readonly string[]): Table {
    let table = from;
    for (const name of path) {
      const there = table.get(name);
      const next = there instanceof TableList ? there.tables.at(-1) : there;
      if (next === undefined) {
        const made: Table = new Map();
        table.set(name, made);
        table = made;
      } else if (next instanceof Map && !this.#closed.has(next)) table = next;
      else this.#stop('a key is given twice');
    }
    return table;
  }

  #header(): Table {
    this.#count();
    const isList = this.#take('[[');
    if (!isList) this.#expect('[');
    this.#blanks();
    const path = this.#path();
    this.#expect(isList ? ']]' : ']');
    if (!isList) {
      const table = this.#tableAt(this.#root, path);
      if (this.#headed.has(table)) this.#stop('a table is given twice');
      this.#headed.add(table);
      return table;
    }
    const above = this.#tableAt(this.#root, path.slice(0, -1));
    const name = path.at(-1) ?? '';
    const list = above.get(name) ?? new TableList();
    if (!(list instanceof TableList)) return this.#stop('a key is given twice');
    above.set(name, list);
    const table: Table = new Map();
    list.tables.push(table);
    return table;
  }

  #pair(table: Table, depth = 0): void {
    this.#count();
    const path = this.#path();
    this.#expect('=');
    this.#blanks();
    const holder = this.#tableAt(table, path.slice(0, -1));
    const name = path.at(-1) ?? '';
    if (holder.has(name)) this.#stop('a key is given twice');
    holder.set(name, this.#value(depth));
  }

  #value(depth: number): Node {
    if (depth > DEPTH_MAX) this.#stop(`nested deeper than ${String(DEPTH_MAX)}`);
    const first = this.#peek();
    if (first === '"' || first === "'") return this.#string(first);
    if (first === '[') return this.#list(depth);
    if (first === '{') return this.#inline(depth);
    const word = this.#match(/[A-Za-z0-9_+.:-]{1,64}/y) ?? '';
    if (word === 'true' || word === 'false') return word === 'true';
    const value = /^[+-]?(?:0|[1-9]\d*)$/.test(word) ? Number(word) : Number.NaN;
    return Number.isSafeInteger(value) ? value : this.#stop('this kind of value is not read here');
  }

  #string(quote: string): string {
    if (this.#text.startsWith(quote.repeat(3), this.#at)) this.#stop('strings over several lines are not read here');
    this.#expect(quote);
    let out = '';
    for (;;) {
      out += this.#match(quote === '"' ? /[^"\\\p{Cc}]*/uy : /[^'\p{Cc}]*/uy) ?? '';
      if (out.length > LIMITS.manifestCharsMax) this.#stop(`longer than ${String(LIMITS.manifestCharsMax)} characters`);
      if (this.#take(quote)) return out;
      if (this.#take('\t')) out += '\t';
      else if (quote === '"' && this.#take('\\')) out += this.#escape();
      else this.#stop('a string does not end');
    }
  }

  #escape(): string {
    const letter = this.#peek();
    const simple = ESCAPES.get(letter);
    if (simple !== undefined) {
      this.#at += 1;
      return simple;
    }
    const hex = this.#match(/u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}/y)?.slice(1);
    const point = hex === undefined ? -1 : Number.parseInt(hex, 16);
    if (point < 0 || point > 0x10_ff_ff || (point >= 0xd8_00 && point <= 0xdf_ff)) this.#stop('an escape that nobody knows');
    return String.fromCodePoint(point);
  }

  #list(depth: number): JsonValue {
    this.#expect('[');
    const out: JsonValue[] = [];
    for (this.#skipLines(); !this.#take(']'); this.#skipLines()) {
      this.#count();
      out.push(plainValue(this.#value(depth + 1)));
      this.#skipLines();
      if (!this.#take(',') && this.#peek() !== ']') this.#stop('expected `,` or `]`');
    }
    return out;
  }

  #inline(depth: number): Table {
    this.#expect('{');
    const table: Table = new Map();
    this.#blanks();
    if (!this.#take('}')) {
      for (;;) {
        this.#blanks();
        this.#pair(table, depth + 1);
        this.#blanks();
        if (this.#take('}')) break;
        this.#expect(',');
      }
    }
    this.#closed.add(table);
    return table;
  }
}

function plainValue(node: Node): JsonValue {
  if (node instanceof Map) return plain(node);
  return node instanceof TableList ? node.tables.map(plain) : node;
}

function plain(table: Table): JsonObject {
  return Object.fromEntries([...table].map(([name, node]) => [name, plainValue(node)]));
}

/** Reads a manifest's text. */
export function readToml(text: string): Result<JsonObject, Fault> {
  try {
    return ok(new TomlReader(text).read());
  } catch (thrown) {
    if (!(thrown instanceof TomlStop)) throw thrown;
    return err({ code: 'guard_manifest', message: `line ${String(thrown.line)}: ${thrown.message}` });
  }
}
