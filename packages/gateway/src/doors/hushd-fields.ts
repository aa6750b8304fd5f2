/** @module Reading fields of bodies and queries at the hushd door. Unknown fields are tolerated, as hushd does; known ones are never coerced. */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';
import { type HushdCode, HushdError } from './hushd-errors.ts';

export function refuse(code: HushdCode, message: string, path: string): HushdError {
  return new HushdError({ code, message, path });
}

/** The body as an object. @throws HushdError. */
export function objectBody(body: unknown): JsonObject {
  if (isJsonObject(body)) return body;
  throw refuse('INVALID_BODY', 'the body must be a JSON object', '');
}

/** A member that is there and not null. */
export function field(body: JsonObject, name: string): JsonValue | undefined {
  const value = getOwn(body, name);
  return value === null ? undefined : value;
}

/** A text, or undefined where there is none. @throws HushdError. */
export function textField(body: JsonObject, name: string, charsMax: number = LIMITS.hushdTextCharsMax): string | undefined {
  const value = field(body, name);
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw refuse('INVALID_BODY', `\`${name}\` must be a string`, `/${name}`);
  if (value.length > charsMax) throw refuse('INVALID_BODY', `\`${name}\` has at most ${charsMax} characters`, `/${name}`);
  return value;
}

/** A text that must be there. @throws HushdError. */
export function needText(body: JsonObject, name: string, charsMax?: number): string {
  const value = textField(body, name, charsMax);
  if (value === undefined || value === '') throw refuse('INVALID_BODY', `\`${name}\` is missing`, `/${name}`);
  return value;
}

/** An object, or undefined where there is none. @throws HushdError. */
export function objectField(body: JsonObject, name: string): JsonObject | undefined {
  const value = field(body, name);
  if (value === undefined || isJsonObject(value)) return value;
  throw refuse('INVALID_BODY', `\`${name}\` must be an object`, `/${name}`);
}

/** One parameter of a query. @throws HushdError where it stands there twice. */
export function queryText(query: unknown, name: string): string | undefined {
  const value = isJsonObject(query) ? getOwn(query, name) : undefined;
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw refuse('INVALID_QUERY', `\`${name}\` stands in the query more than once`, name);
}

/** A whole number of a query. @throws HushdError. */
export function queryNumber(query: unknown, name: string, max: number): number | undefined {
  const text = queryText(query, name);
  if (text === undefined) return undefined;
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : max + 1;
  if (value > max) throw refuse('INVALID_QUERY', `\`${name}\` is a whole number up to ${max}`, name);
  return value;
}

/** A part of the path, empty where there is none. */
export function pathText(params: unknown, name: string): string {
  const value = isJsonObject(params) ? getOwn(params, name) : undefined;
  return typeof value === 'string' ? value : '';
}
