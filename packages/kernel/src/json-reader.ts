/**
 * @module The strict reader behind `parseJson`: one pass over well-formed text, one fault at most, no exceptions. It recurses once a
 * level and never deeper than its limit; every character is looked at a constant number of times.
 */
import type { Fault } from './errors.ts';
import { pointer, type JsonValue } from './json.ts';
import { isExact } from './json-number.ts';
import { EXACT_POINTERS_CHARS_MAX, FAULT_PATH_CHARS_MAX } from './limits.ts';

/** Why a text is not a JSON value this system accepts. Add-only. */
export type JsonFaultCode =
  | 'json_too_large'
  | 'json_invalid_utf8'
  | 'json_bom'
  | 'json_lone_surrogate'
  | 'json_control_character'
  | 'json_bad_escape'
  | 'json_bad_number'
  | 'json_syntax'
  | 'json_unexpected_end'
  | 'json_trailing_text'
  | 'json_duplicate_key'
  | 'json_forbidden_key'
  | 'json_too_deep'
  | 'json_too_many_nodes'
  | 'json_too_many_exact_numbers';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const MINUS = 0x2d;
const DOT = 0x2e;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
/** Digits that a double always holds. */
const SAFE_DIGITS = 15;

const HINTS: Partial<Record<JsonFaultCode, string>> = {
  json_lone_surrogate: 'send surrogates in pairs, or replace them with U+FFFD',
  json_control_character: 'escape it as \\u followed by four hex digits',
  json_duplicate_key: 'send each key once: parsers disagree on which one counts',
  json_forbidden_key: 'rename the key',
  json_too_deep: 'flatten the value',
  json_too_many_nodes: 'split the value',
  json_too_many_exact_numbers: 'send long numbers as strings',
};

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

function isHex(unit: number): boolean {
  return isDigit(unit) || (unit >= 0x61 && unit <= 0x66) || (unit >= 0x41 && unit <= 0x46);
}

/** `"\/bfnrt`, the escapes of one character. */
function isShortEscape(unit: number): boolean {
  return (
    unit === QUOTE ||
    unit === BACKSLASH ||
    unit === 0x2f ||
    unit === 0x62 ||
    unit === 0x66 ||
    unit === 0x6e ||
    unit === 0x72 ||
    unit === 0x74
  );
}

interface ReaderLimits {
  readonly depthMax: number;
  readonly nodesMax: number;
}

/** Reads one document. Spans are in UTF-16 units of `text`, which must be well-formed. */
export class JsonReader {
  /** The first fault; the reader stops there. */
  fault: Fault<JsonFaultCode> | undefined;
  /** Pointers of the numbers that were kept as their literal. */
  readonly exactNumbers: string[] = [];
  private readonly text: string;
  private readonly limits: ReaderLimits;
  /** The key or index at each level; undefined while a key is read, so that the fault names the object. */
  private readonly steps: (string | number | undefined)[] = [];
  private at = 0;
  private depth = 0;
  private nodes = 0;
  private exactChars = 0;

  constructor(text: string, limits: ReaderLimits) {
    this.text = text;
    this.limits = limits;
  }

  /** The whole text as one value; undefined exactly when `fault` is set. */
  readDocument(): JsonValue | undefined {
    this.skipSpace();
    const value = this.readValue();
    if (value === undefined) return undefined;
    if (this.skipSpace() === this.text.length) return value;
    return this.fail('json_trailing_text', 'text after the end of the value', this.at);
  }

  private fail(code: JsonFaultCode, message: string, start: number): undefined {
    let path = '';
    for (let level = 0; level < this.depth && path.length <= FAULT_PATH_CHARS_MAX; level += 1) {
      const step = this.steps[level];
      if (step === undefined) break;
      path = pointer(path, typeof step === 'number' ? step : step.slice(0, FAULT_PATH_CHARS_MAX));
    }
    if (path.length > FAULT_PATH_CHARS_MAX) path = `${path.slice(0, FAULT_PATH_CHARS_MAX).toWellFormed()}…`;
    const end = Math.max(this.at, Math.min(start + 1, this.text.length));
    const hint = HINTS[code];
    this.fault = { code, message, path, span: { start, end }, ...(hint === undefined ? {} : { hint }) };
    return undefined;
  }

  /** What stands where something else was expected. One character at most is quoted. */
  private unexpected(wanted: string): undefined {
    if (this.at >= this.text.length) return this.fail('json_unexpected_end', `expected ${wanted}, found the end`, this.at);
    const code = this.text.codePointAt(this.at) ?? 0;
    const shown =
      code > 0x20 && code < 0x7f && code !== 0x60
        ? `\`${String.fromCodePoint(code)}\``
        : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
    return this.fail('json_syntax', `expected ${wanted}, found ${shown}`, this.at);
  }

  private skipSpace(): number {
    for (;;) {
      const unit = this.text.charCodeAt(this.at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return this.at;
      this.at += 1;
    }
  }

  private countNode(): boolean {
    this.nodes += 1;
    if (this.nodes <= this.limits.nodesMax) return true;
    this.fail('json_too_many_nodes', `more than ${this.limits.nodesMax} values and keys`, this.at);
    return false;
  }

  private readValue(): JsonValue | undefined {
    if (!this.countNode()) return undefined;
    const unit = this.text.charCodeAt(this.at);
    if (unit === QUOTE) return this.readString();
    if (unit === OPEN_OBJECT) return this.enter() ? this.leave(this.readObject()) : undefined;
    if (unit === OPEN_ARRAY) return this.enter() ? this.leave(this.readArray()) : undefined;
    if (unit === MINUS || isDigit(unit)) return this.readNumber();
    return this.readWord();
  }

  private readWord(): JsonValue | undefined {
    if (this.text.startsWith('true', this.at)) return this.took(4, true);
    if (this.text.startsWith('false', this.at)) return this.took(5, false);
    if (this.text.startsWith('null', this.at)) return this.took(4, null);
    return this.unexpected('a value');
  }

  private took(length: number, value: boolean | null): JsonValue {
    this.at += length;
    return value;
  }

  private enter(): boolean {
    if (this.depth >= this.limits.depthMax) {
      this.fail('json_too_deep', `nested deeper than ${this.limits.depthMax}`, this.at);
      return false;
    }
    this.depth += 1;
    this.at += 1;
    return true;
  }

  private leave(value: JsonValue | undefined): JsonValue | undefined {
    this.depth -= 1;
    return value;
  }

  private readArray(): JsonValue | undefined {
    const items: JsonValue[] = [];
    const level = this.depth - 1;
    this.steps[level] = 0;
    this.skipSpace();
    if (this.text.charCodeAt(this.at) === CLOSE_ARRAY) {
      this.at += 1;
      return items;
    }
    for (;;) {
      this.steps[level] = items.length;
      const item = this.readValue();
      if (item === undefined) return undefined;
      items.push(item);
      this.skipSpace();
      const unit = this.text.charCodeAt(this.at);
      if (unit !== COMMA && unit !== CLOSE_ARRAY) return this.unexpected('`,` or `]`');
      this.at += 1;
      if (unit === CLOSE_ARRAY) return items;
      this.skipSpace();
    }
  }

  private readObject(): JsonValue | undefined {
    const object: Record<string, JsonValue> = {};
    this.steps[this.depth - 1] = undefined;
    this.skipSpace();
    if (this.text.charCodeAt(this.at) === CLOSE_OBJECT) {
      this.at += 1;
      return object;
    }
    for (;;) {
      const key = this.readKey(object);
      if (key === undefined) return undefined;
      const value = this.readValue();
      if (value === undefined) return undefined;
      object[key] = value;
      this.skipSpace();
      const unit = this.text.charCodeAt(this.at);
      if (unit !== COMMA && unit !== CLOSE_OBJECT) return this.unexpected('`,` or `}`');
      this.at += 1;
      if (unit === CLOSE_OBJECT) return object;
      this.skipSpace();
    }
  }

  /** A key and its colon. SECURITY: `__proto__` never becomes a property, so plain assignment is safe for every other key. */
  private readKey(object: Record<string, JsonValue>): string | undefined {
    if (!this.countNode()) return undefined;
    this.steps[this.depth - 1] = undefined;
    if (this.text.charCodeAt(this.at) !== QUOTE) return this.unexpected('a key in quotes');
    const start = this.at;
    const key = this.readString();
    if (key === undefined) return undefined;
    this.steps[this.depth - 1] = key;
    if (key === '__proto__') return this.fail('json_forbidden_key', 'the key `__proto__` is not accepted', start);
    if (object[key] !== undefined && Object.hasOwn(object, key))
      return this.fail('json_duplicate_key', 'a key appears twice in one object', start);
    this.skipSpace();
    if (this.text.charCodeAt(this.at) !== COLON) return this.unexpected('`:`');
    this.at += 1;
    this.skipSpace();
    return key;
  }

  private readString(): string | undefined {
    const text = this.text;
    const start = this.at + 1;
    for (let i = start; ; i += 1) {
      const unit = text.charCodeAt(i);
      if (unit === QUOTE) {
        this.at = i + 1;
        return text.slice(start, i);
      }
      if (unit === BACKSLASH) return this.readEscaped(i);
      // NaN (the end of the text) fails this comparison, so it stops here as well.
      if (!(unit >= 0x20)) return this.stopString(i);
    }
  }

  private stopString(i: number): undefined {
    this.at = i;
    if (i >= this.text.length) return this.fail('json_unexpected_end', 'a string is not closed', i);
    return this.fail(
      'json_control_character',
      `U+${this.text.charCodeAt(i).toString(16).toUpperCase().padStart(4, '0')} stands raw in a string`,
      i,
    );
  }

  /** A string with escapes: each is checked here, then the platform decodes what can no longer fail. */
  private readEscaped(firstEscape: number): string | undefined {
    const text = this.text;
    const open = this.at;
    let i = firstEscape;
    let wide = false;
    for (let unit = BACKSLASH; unit !== QUOTE; unit = text.charCodeAt(i)) {
      if (unit === BACKSLASH) {
        const length = this.escapeLength(i);
        if (length === 0) return undefined;
        wide ||= length === 6;
        i += length;
      } else if (unit >= 0x20) i += 1;
      else return this.stopString(i);
    }
    this.at = i + 1;
    const decoded = JSON.parse(text.slice(open, i + 1)) as string;
    if (wide && !decoded.isWellFormed()) return this.fail('json_lone_surrogate', 'a \\u escape is half of a surrogate pair', open);
    return decoded;
  }

  /** Units of the escape at `i`; 0 after a fault. */
  private escapeLength(i: number): number {
    const kind = this.text.charCodeAt(i + 1);
    if (isShortEscape(kind)) return 2;
    if (kind === 0x75) {
      let digits = 0;
      while (digits < 4 && isHex(this.text.charCodeAt(i + 2 + digits))) digits += 1;
      if (digits === 4) return 6;
    }
    this.at = i;
    this.fail('json_bad_escape', 'an escape that JSON does not have', i);
    return 0;
  }

  private readNumber(): number | string | undefined {
    const text = this.text;
    const start = this.at;
    const negative = text.charCodeAt(start) === MINUS;
    const first = negative ? start + 1 : start;
    let i = first;
    let value = 0;
    for (let unit = text.charCodeAt(i); isDigit(unit); unit = text.charCodeAt(i)) {
      value = value * 10 + (unit - 0x30);
      i += 1;
    }
    this.at = i;
    const digits = i - first;
    if (digits === 0) return this.fail('json_bad_number', 'a digit must follow the minus sign', start);
    if (digits > 1 && text.charCodeAt(first) === 0x30) return this.fail('json_bad_number', 'a number must not start with 0', start);
    const next = text.charCodeAt(i);
    if (next === DOT || next === 0x65 || next === 0x45) return this.readFraction(start);
    if (digits <= SAFE_DIGITS) return negative && value !== 0 ? -value : value;
    return this.keepNumber(start);
  }

  private skipDigits(): number {
    const from = this.at;
    while (isDigit(this.text.charCodeAt(this.at))) this.at += 1;
    return this.at - from;
  }

  private readFraction(start: number): number | string | undefined {
    const text = this.text;
    if (text.charCodeAt(this.at) === DOT) {
      this.at += 1;
      if (this.skipDigits() === 0) return this.fail('json_bad_number', 'a digit must follow the decimal point', start);
    }
    const mark = text.charCodeAt(this.at);
    if (mark === 0x65 || mark === 0x45) {
      this.at += 1;
      const sign = text.charCodeAt(this.at);
      if (sign === 0x2b || sign === MINUS) this.at += 1;
      if (this.skipDigits() === 0) return this.fail('json_bad_number', 'a digit must follow the exponent mark', start);
    }
    return this.keepNumber(start);
  }

  /** The double, or where that would change the value, the literal itself. */
  private keepNumber(start: number): number | string | undefined {
    const literal = this.text.slice(start, this.at);
    const value = Number(literal);
    if (isExact(literal, value)) return value === 0 ? 0 : value;
    for (let level = 0; level < this.depth; level += 1) this.exactChars += 1 + String(this.steps[level]).length;
    this.exactChars += 1;
    if (this.exactChars > EXACT_POINTERS_CHARS_MAX)
      return this.fail('json_too_many_exact_numbers', 'too many numbers that a double cannot hold', start);
    let path = '';
    for (let level = 0; level < this.depth; level += 1) path = pointer(path, this.steps[level] ?? '');
    this.exactNumbers.push(path);
    return literal;
  }
}
