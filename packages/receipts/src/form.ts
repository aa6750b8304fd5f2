/** @module Small strict checks of the form of parsed JSON: closed objects, bounded lists, exact texts. The first fault names its place. */
import { getOwn, isJsonObject, pointer, type JsonValue } from '@countersign/kernel';

export interface FormFault {
  readonly path: string;
  readonly message: string;
}

/** Undefined where the value has the form. */
export type Form = (value: JsonValue, path: string) => FormFault | undefined;

function fault(path: string, message: string): FormFault {
  return { path, message };
}

export const anyValue: Form = () => undefined;

/** A text of at most `charsMax` characters. */
export function text(charsMax: number): Form {
  return (value, path) =>
    typeof value === 'string' && value.length <= charsMax ? undefined : fault(path, `not a text of at most ${charsMax} characters`);
}

/** A text that matches an anchored pattern which takes linear time. */
export function matching(pattern: RegExp, what: string): Form {
  return (value, path) =>
    typeof value === 'string' && value.length <= 256 && pattern.test(value) ? undefined : fault(path, `not ${what}`);
}

export function oneOf(...values: readonly string[]): Form {
  return (value, path) =>
    typeof value === 'string' && values.includes(value) ? undefined : fault(path, `not one of ${values.join(', ')}`);
}

/** A whole number from 0 to `max`. */
export function count(max: number = Number.MAX_SAFE_INTEGER): Form {
  return (value, path) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max
      ? undefined
      : fault(path, `not a whole number from 0 to ${max}`);
}

export function orNull(form: Form): Form {
  return (value, path) => (value === null ? undefined : form(value, path));
}

export function listOf(form: Form, itemsMax: number): Form {
  return (value, path) => {
    if (!Array.isArray(value) || value.length > itemsMax) return fault(path, `not a list of at most ${itemsMax}`);
    const items: readonly JsonValue[] = value;
    for (let i = 0; i < items.length; i += 1) {
      const found = form(items[i] ?? null, pointer(path, i));
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** The same, and not empty. */
export function someOf(form: Form, itemsMax: number): Form {
  const list = listOf(form, itemsMax);
  return (value, path) => (Array.isArray(value) && value.length === 0 ? fault(path, 'an empty list') : list(value, path));
}

/** An object with all members of `required`, any of `optional`, and no other. */
export function closed(required: Readonly<Record<string, Form>>, optional: Readonly<Record<string, Form>> = {}): Form {
  const forms = new Map(Object.entries({ ...required, ...optional }));
  const names = Object.keys(required);
  return (value, path) => {
    if (!isJsonObject(value)) return fault(path, 'not an object');
    const missing = names.find((name) => !Object.hasOwn(value, name));
    if (missing !== undefined) return fault(pointer(path, missing), 'missing');
    for (const key of Object.keys(value)) {
      const form = forms.get(key);
      if (form === undefined) return fault(pointer(path, key), 'unknown field');
      const found = form(getOwn(value, key) ?? null, pointer(path, key));
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** Chooses the form by the text of one member. */
export function byMember(name: string, forms: Readonly<Record<string, Form>>): Form {
  return (value, path) => {
    const member = isJsonObject(value) ? getOwn(value, name) : undefined;
    const form = typeof member === 'string' && Object.hasOwn(forms, member) ? forms[member] : undefined;
    return form === undefined ? fault(pointer(path, name), `not one of ${Object.keys(forms).join(', ')}`) : form(value, path);
  };
}

/** The first form that fits; the fault of the last where none does. */
export function either(...forms: readonly Form[]): Form {
  return (value, path) => {
    let found: FormFault | undefined;
    for (const form of forms) {
      found = form(value, path);
      if (found === undefined) return undefined;
    }
    return found;
  };
}
