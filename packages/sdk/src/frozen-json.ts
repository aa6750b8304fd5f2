/**
 * @module What is judged is what runs: a copy of the arguments in which every property was read exactly once, frozen all the
 * way down, and made of nothing but what JSON can say. A getter, a proxy or another thread of the program can change the
 * original after the check; nobody can change this.
 */
import { err, type Fault, type JsonValue, ok, pointer, type Result } from '@countersign/kernel';
import { SDK_LIMITS } from './limits.ts';

export type FrozenFaultCode = 'not_json' | 'too_deep' | 'too_many_values';

interface Walk {
  readonly freeze: boolean;
  nodes: number;
  fault: Fault<FrozenFaultCode> | undefined;
}

function refuse(walk: Walk, fault: Fault<FrozenFaultCode>): null {
  walk.fault ??= fault;
  return null;
}

function copyArray(value: readonly unknown[], path: string, walk: Walk & { depth: number }): JsonValue {
  const { length } = value;
  const copy: JsonValue[] = [];
  for (let i = 0; i < length && walk.fault === undefined; i += 1) copy.push(copyAny(value[i], pointer(path, i), walk));
  return walk.freeze ? Object.freeze(copy) : copy;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function copyObject(value: object, path: string, walk: Walk & { depth: number }): JsonValue {
  const copy: { [key: string]: JsonValue } = {};
  for (const key of Object.keys(value)) {
    if (walk.fault !== undefined) break;
    const at = pointer(path, key);
    if (key === '__proto__' || !key.isWellFormed())
      return refuse(walk, { code: 'not_json', message: 'a property has a name that is not allowed', path });
    const item: unknown = Reflect.get(value, key);
    // JSON has no word for it; a property that is undefined is as good as absent, and is absent in the copy too.
    if (item !== undefined) copy[key] = copyAny(item, at, walk);
  }
  return walk.freeze ? Object.freeze(copy) : copy;
}

function copyContainer(value: object, path: string, walk: Walk & { depth: number }): JsonValue {
  if (walk.depth >= SDK_LIMITS.argumentDepthMax) {
    return refuse(walk, { code: 'too_deep', message: `values may be nested ${SDK_LIMITS.argumentDepthMax} deep`, path });
  }
  walk.depth += 1;
  let copy: JsonValue;
  if (Array.isArray(value)) copy = copyArray(value, path, walk);
  else if (isPlain(value)) copy = copyObject(value, path, walk);
  else
    copy = refuse(walk, {
      code: 'not_json',
      message: 'only plain objects and arrays can be judged',
      path,
      hint: 'convert it to plain data first',
    });
  walk.depth -= 1;
  return copy;
}

function copyAny(value: unknown, path: string, walk: Walk & { depth: number }): JsonValue {
  walk.nodes += 1;
  if (walk.nodes > SDK_LIMITS.argumentNodesMax) {
    return refuse(walk, { code: 'too_many_values', message: `at most ${SDK_LIMITS.argumentNodesMax} values can be judged at once`, path });
  }
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string' && value.isWellFormed()) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value === 0 ? 0 : value;
  if (typeof value === 'object') return copyContainer(value, path, walk);
  return refuse(walk, {
    code: 'not_json',
    message: `a value of type ${typeof value} cannot be judged`,
    path,
    hint: 'convert it to plain data first',
  });
}

/**
 * A copy of `value` that nothing else refers to. With `freeze` (the default) it is frozen all the way down.
 * Refused: anything that JSON cannot say without loss (functions, dates, maps, class instances, `NaN`, lone surrogates,
 * `undefined` other than as a property), more than `argumentNodesMax` values, deeper than `argumentDepthMax`.
 */
export function copyJson(value: unknown, options: { readonly freeze?: boolean } = {}): Result<JsonValue, Fault<FrozenFaultCode>> {
  const walk: Walk & { depth: number } = { freeze: options.freeze !== false, nodes: 0, depth: 0, fault: undefined };
  let copy: JsonValue;
  try {
    copy = copyAny(value, '', walk);
  } catch {
    // A getter or a proxy of the caller threw.
    return err({ code: 'not_json', message: 'a value could not be read' });
  }
  return walk.fault === undefined ? ok(copy) : err(walk.fault);
}
