/** @module Fields of a PolicyEvent: own properties, under either of their spellings, of the type they must have. */
import { CodedError, type Fault, getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { POLICY_LIMITS } from './limits.ts';

export type PolicyEventFaultCode =
  | 'event_form'
  | 'event_field'
  | 'event_type_unknown'
  | 'event_data_type'
  | 'event_custom_unknown'
  | 'event_too_large';
export type PolicyEventFault = Fault<PolicyEventFaultCode>;

/** Thrown and caught within the reader of one event: never leaves the room. */
class EventRefused extends CodedError<PolicyEventFaultCode> {}

/** The fault of a refusal; undefined for anything else that was thrown. */
export function refuseEvent(thrown: unknown): PolicyEventFault | undefined {
  return thrown instanceof EventRefused ? thrown.fault : undefined;
}

export class EventFields {
  readonly all: JsonObject;
  readonly #path: string;

  constructor(all: JsonObject, path: string) {
    this.all = all;
    this.#path = path;
  }

  fault(code: PolicyEventFaultCode, message: string, field: string): Error {
    return new EventRefused({ code, message, path: this.#path === '' ? field : `${this.#path}.${field}` });
  }

  /** Under the first of its names; null says what leaving it out says. Two spellings that differ are refused. */
  value(names: readonly string[]): JsonValue | undefined {
    const given = names.map((name) => getOwn(this.all, name) ?? undefined).filter((value) => value !== undefined);
    const [first, ...more] = given;
    if (more.some((other) => JSON.stringify(other) !== JSON.stringify(first))) {
      throw this.fault('event_field', 'the field is given in two spellings, and differently', names[0] ?? '');
    }
    return first;
  }

  text(names: readonly string[]): string | undefined {
    const value = this.value(names);
    if (value === undefined || typeof value === 'string') return value;
    throw this.fault('event_field', 'the field must be text', names[0] ?? '');
  }

  need(names: readonly string[]): string {
    const text = this.text(names);
    if (text === undefined || text === '') throw this.fault('event_field', 'the field is missing or empty', names[0] ?? '');
    return text;
  }

  texts(names: readonly string[]): readonly string[] {
    const value = this.value(names) ?? [];
    const texts = Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : undefined;
    if (texts === undefined || texts.length !== (value as readonly JsonValue[]).length) {
      throw this.fault('event_field', 'the field must be a list of texts', names[0] ?? '');
    }
    if (texts.length > POLICY_LIMITS.eventArgsMax) {
      throw this.fault('event_too_large', `more than ${String(POLICY_LIMITS.eventArgsMax)} entries`, names[0] ?? '');
    }
    return texts;
  }

  object(name: string): EventFields {
    const value = this.value([name]);
    if (!isJsonObject(value)) throw this.fault('event_field', 'the field must be an object', name);
    return new EventFields(value, this.#path === '' ? name : `${this.#path}.${name}`);
  }
}
