/** @module The ground floor: no imports, no I/O. */
export { canonicalize } from './canonical-json.ts';
export { CodedError, codeOf, invariant, InvariantError, type Fault } from './errors.ts';
export { getOwn, isJsonObject, pointer, type JsonArray, type JsonObject, type JsonPrimitive, type JsonValue } from './json.ts';
export { type JsonFaultCode } from './json-reader.ts';
export { buildAutomaton, type LiteralAutomaton, type OnLiteral, scanLiterals } from './literal-automaton.ts';
export { JSON_LIMITS } from './limits.ts';
export { parseJson, type JsonLimits, type ParsedJson } from './parse-json.ts';
export { formatTime, type Clock, type Random } from './ports.ts';
export { err, ok, type Result } from './result.ts';
export { stringifyExact } from './stringify-exact.ts';
export { utf8Length } from './utf8.ts';
export { isUuid, uuidv7 } from './uuid.ts';
