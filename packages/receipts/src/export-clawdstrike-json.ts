/**
 * @module The canonical texts that Clawdstrike's implementations sign for one value (spec/exports.md, EXP-031). All are RFC 8785 but
 * for two points of the Rust implementation: U+007F to U+009F are escaped, and 64-bit integers keep their digits.
 */
import { canonicalize, err, isJsonObject, ok, pointer, type Fault, type JsonValue, type Result } from '@countersign/kernel';

const INTEGER = /^-?(?:0|[1-9][0-9]{0,19})$/;
const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 64n - 1n;
const CONTROL = /[\u007f-\u009f]/g;

function isInteger64(literal: string): boolean {
  return INTEGER.test(literal) && BigInt(literal) >= INT_MIN && BigInt(literal) <= INT_MAX;
}

function write(value: JsonValue, path: string, exact: ReadonlySet<string>): string {
  // The parser put the literal there; only integers get this far.
  if (typeof value === 'string' && exact.has(path)) return value;
  if (Array.isArray(value)) return `[${(value as readonly JsonValue[]).map((item, i) => write(item, pointer(path, i), exact)).join(',')}]`;
  if (!isJsonObject(value)) return canonicalize(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, item]) => `${canonicalize(key)}:${write(item, pointer(path, key), exact)}`).join(',')}}`;
}

/**
 * Every text that an implementation signs for `value`: one, or two where they disagree. `exactNumbers` are the pointers of
 * `parseJson`, and `path` is where `value` stands in what was parsed. Two values never have a text in common.
 *
 * Refused: a number that no double holds and that is no 64-bit integer; its digits would be rounded before they are signed.
 */
export function signedTexts(value: JsonValue, path: string, exactNumbers: ReadonlyMap<string, string>): Result<readonly string[], Fault> {
  const inside = [...exactNumbers].filter(([at]) => at.startsWith(`${path}/`));
  const rounded = inside.find(([, literal]) => !isInteger64(literal));
  if (rounded !== undefined)
    return err({ code: 'number_not_covered', message: 'a number with digits that no signature covers', path: rounded[0] });
  const text = inside.length === 0 ? canonicalize(value) : write(value, path, new Set(inside.map(([at]) => at)));
  const escaped = text.replace(CONTROL, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return ok(escaped === text ? [text] : [text, escaped]);
}

/** The literals at `exactNumbers`, by pointer. */
export function exactLiterals(value: JsonValue, exactNumbers: readonly string[]): ReadonlyMap<string, string> {
  const wanted = new Set(exactNumbers);
  const found = new Map<string, string>();
  const visit = (item: JsonValue, path: string): void => {
    if (typeof item === 'string' && wanted.has(path)) found.set(path, item);
    else if (Array.isArray(item)) (item as readonly JsonValue[]).forEach((child, i) => visit(child, pointer(path, i)));
    else if (isJsonObject(item)) for (const [key, child] of Object.entries(item)) visit(child, pointer(path, key));
  };
  if (wanted.size > 0) visit(value, '');
  return found;
}
