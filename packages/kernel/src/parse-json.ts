/**
 * @module JSON (RFC 8259) as I-JSON (RFC 7493) and stricter: what parsers are known to disagree on is refused with a code and a place,
 * so that the value which was judged is the value an upstream reads. Linear in the input; never throws on input.
 */
import { invariant, type Fault } from './errors.ts';
import type { JsonValue } from './json.ts';
import { JsonReader, type JsonFaultCode } from './json-reader.ts';
import { JSON_DEPTH_CEILING, JSON_LIMITS } from './limits.ts';
import { err, ok, type Result } from './result.ts';
import { findInvalidUtf8, utf8Length } from './utf8.ts';

/** The one platform type this floor needs; every JavaScript runtime has it. */
declare const TextDecoder: new (label: string, options: { fatal: boolean; ignoreBOM: boolean }) => { decode(bytes: Uint8Array): string };

/** Limits of one document. `depthMax` is at most 1024. */
export interface JsonLimits {
  /** UTF-8 bytes. */
  readonly bytesMax: number;
  /** Nested containers. */
  readonly depthMax: number;
  /** Values and keys. */
  readonly nodesMax: number;
}

export interface ParsedJson {
  readonly value: JsonValue;
  /** JSON pointers (RFC 6901) of numbers that no double holds exactly; `value` has their literal as a string there. */
  readonly exactNumbers: readonly string[];
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function tooLarge(bytesMax: number): Fault<JsonFaultCode> {
  return { code: 'json_too_large', message: `longer than ${bytesMax} bytes`, path: '', hint: 'split the value' };
}

function decodeInput(input: Uint8Array | string, bytesMax: number): Result<string, Fault<JsonFaultCode>> {
  if (typeof input === 'string') {
    if (input.length > bytesMax || (input.length * 3 > bytesMax && utf8Length(input) > bytesMax)) return err(tooLarge(bytesMax));
    if (input.isWellFormed()) return ok(input);
    const at = input
      .toWellFormed()
      .split('')
      .findIndex((unit, i) => unit !== input[i]);
    return err({
      code: 'json_lone_surrogate',
      message: 'half of a surrogate pair stands alone',
      path: '',
      span: { start: at, end: at + 1 },
    });
  }
  if (input.length > bytesMax) return err(tooLarge(bytesMax));
  const text = decode(input);
  if (text !== undefined) return ok(text);
  const at = findInvalidUtf8(input);
  return err({
    code: 'json_invalid_utf8',
    message: 'bytes that are not UTF-8',
    path: '',
    span: { start: at, end: at + 1 },
    hint: 'send UTF-8',
  });
}

/** Spans of byte input are bytes. */
function inBytes(fault: Fault<JsonFaultCode>, text: string): Fault<JsonFaultCode> {
  if (fault.span === undefined) return fault;
  const start = utf8Length(text.slice(0, fault.span.start));
  return { ...fault, span: { start, end: start + utf8Length(text.slice(fault.span.start, fault.span.end)) } };
}

/**
 * One JSON value from a whole document.
 *
 * Refused: duplicate keys (after decoding), the key `__proto__`, surrogates that are not in pairs (raw or escaped), bytes that are not
 * UTF-8, a byte order mark, raw control characters, anything RFC 8259 does not allow, and what is beyond the limits. Spans are bytes for
 * byte input and UTF-16 units for text. Negative zero becomes zero. The result has plain objects only.
 * @throws {InvariantError} when `limits.depthMax` is above 1024: that is the caller's mistake, not the input's.
 */
export function parseJson(input: Uint8Array | string, limits?: Partial<JsonLimits>): Result<ParsedJson, Fault<JsonFaultCode>> {
  const depthMax = limits?.depthMax ?? JSON_LIMITS.depthMax;
  invariant(depthMax <= JSON_DEPTH_CEILING, 'depthMax is above the ceiling');
  const decoded = decodeInput(input, limits?.bytesMax ?? JSON_LIMITS.bytesMax);
  if (!decoded.ok) return decoded;
  const text = decoded.value;
  if (text.charCodeAt(0) === 0xfeff) {
    const end = typeof input === 'string' ? 1 : 3;
    return err({
      code: 'json_bom',
      message: 'a byte order mark before the value',
      path: '',
      span: { start: 0, end },
      hint: 'leave it out',
    });
  }
  const reader = new JsonReader(text, { depthMax, nodesMax: limits?.nodesMax ?? JSON_LIMITS.nodesMax });
  const value = reader.readDocument();
  if (value !== undefined) return ok({ value, exactNumbers: reader.exactNumbers });
  const fault = reader.fault;
  invariant(fault !== undefined, 'the reader stopped without a fault');
  return err(typeof input === 'string' ? fault : inBytes(fault, text));
}
