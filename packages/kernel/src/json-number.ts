/**
 * @module JSON number literals (RFC 8259 section 6) and the question whether a double holds one exactly. "Exactly" means: the literal
 * and the shortest text of the double (ECMAScript Number::toString) name the same decimal value, so writing it back loses nothing.
 */

const NUMBER_LITERAL = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/;

/** True for the text of one JSON number, and nothing around it. */
export function isNumberLiteral(text: string): boolean {
  return NUMBER_LITERAL.test(text);
}

interface Decimal {
  /** Significant digits without zeros at either end; empty for zero. */
  readonly digits: string;
  /** Power of ten of the last digit. */
  readonly scale: number;
}

function isExponentMark(unit: number): boolean {
  return unit === 0x65 || unit === 0x45;
}

function decimalOf(literal: string): Decimal {
  let mark = 0;
  while (mark < literal.length && !isExponentMark(literal.charCodeAt(mark))) mark += 1;
  const exponent = mark < literal.length ? Number(literal.slice(mark + 1)) : 0;
  const mantissa = literal.slice(literal.startsWith('-') ? 1 : 0, mark);
  const dot = mantissa.indexOf('.');
  const digits = dot === -1 ? mantissa : mantissa.slice(0, dot) + mantissa.slice(dot + 1);
  let start = 0;
  while (start < digits.length && digits.charCodeAt(start) === 0x30) start += 1;
  let end = digits.length;
  while (end > start && digits.charCodeAt(end - 1) === 0x30) end -= 1;
  const fraction = dot === -1 ? 0 : mantissa.length - dot - 1;
  return { digits: digits.slice(start, end), scale: exponent - fraction + (digits.length - end) };
}

/** True when the double `value`, read from `literal`, stands for the same decimal. Linear in the literal. */
export function isExact(literal: string, value: number): boolean {
  const shortest = String(value);
  if (shortest === literal) return true;
  const wanted = decimalOf(literal);
  if (wanted.digits === '') return true;
  // Overflow and underflow: no digits to compare. Past this line the exponent is small enough to be an exact integer.
  if (value === 0 || !Number.isFinite(value)) return false;
  const held = decimalOf(shortest);
  return wanted.digits === held.digits && wanted.scale === held.scale;
}
