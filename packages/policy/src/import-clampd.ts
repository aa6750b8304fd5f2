/**
 * @module What operators of Clampd set beside its rules, as JSON (thresholds, scope exemptions, Cedar policies, boundaries, protected entities),
 * as a policy document. Nothing is passed over: what has no place in a document, or is not of the form it should have, is a remark.
 */
import { getOwn, isJsonObject, type JsonObject, type JsonValue } from '@countersign/kernel';
import { stringify } from 'yaml';
import { DAYS } from './clampd-content.ts';
import { itemsOf } from './document-path.ts';

export interface ImportRemark {
  /** Where it stands in the JSON. */
  readonly path: string;
  readonly why: string;
}

export interface ImportedClampd {
  /** YAML. */
  readonly document: string;
  /** How many entries of each kind stand in it. */
  readonly counts: Readonly<Record<string, number>>;
  readonly remarks: readonly ImportRemark[];
}

type Entry = Record<string, JsonValue>;
/** From one key of Clampd's to a field of the document; undefined: it is not of the form it should have. */
type Reading = readonly [key: string, read: (value: JsonValue, into: Entry) => boolean];

interface Kind {
  /** Keys under which lists of it stand. */
  readonly lists: readonly string[];
  /** A key that no other kind has, for a list without a name. */
  readonly mark: string;
  readonly readings: readonly Reading[];
  readonly required: readonly string[];
  /** Keys that the document has no use for, which change nothing. */
  readonly ignored: readonly string[];
  readonly place: (document: JsonObject, entries: readonly Entry[]) => JsonObject;
}

function text(field: string): Reading[1] {
  return (value, into) => {
    if (typeof value !== 'string') return false;
    if (value !== '') into[field] = value;
    return true;
  };
}

function texts(field: string): Reading[1] {
  return (value, into) => {
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return false;
    if (value.length > 0) into[field] = value;
    return true;
  };
}

/** A count; 0 is how Clampd writes that there is no limit. */
function count(field: string, times = 1): Reading[1] {
  return (value, into) => {
    if (typeof value !== 'number' || value < 0) return false;
    if (value > 0) into[field] = Math.round(value * times);
    return true;
  };
}

function thousandths(field: string): Reading[1] {
  return (value, into) => {
    if (typeof value !== 'number' || value <= 0 || value > 1) return false;
    into[field] = Math.round(value * 1000);
    return true;
  };
}

function word(field: string, words: readonly string[]): Reading[1] {
  return (value, into) => {
    if (typeof value !== 'string' || !words.includes(value)) return false;
    into[field] = value;
    return true;
  };
}

/** Bits from Monday on; 127 is every day. */
function days(value: JsonValue, into: Entry): boolean {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 127) return false;
  if (value !== 127) into['days'] = DAYS.filter((_, i) => (value & (1 << i)) !== 0);
  return true;
}

/** Hours as numbers or as `HH:MM`: a start counts from its hour on, an end to the end of its hour. */
function hour(side: 'from' | 'to'): Reading[1] {
  return (value, into) => {
    const found = typeof value === 'string' ? /^(\d{1,2}):(\d\d)$/.exec(value) : null;
    const whole = found === null ? value : Number(found[1]) + (side === 'to' && found[2] !== '00' ? 1 : 0);
    if (typeof whole !== 'number' || !Number.isInteger(whole) || whole < 0 || whole > 24) return false;
    const hours = into['hours'];
    into['hours'] = { ...(isJsonObject(hours) ? hours : { from: 0, to: 24 }), [side]: whole };
    return true;
  };
}

/** Zones with a fixed offset: a judge has no table of the others. */
function zone(value: JsonValue, into: Entry): boolean {
  if (typeof value !== 'string') return false;
  if (value === '' || value === 'UTC' || value === 'Etc/UTC') return true;
  const found = /^(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d\d))?$/.exec(value);
  if (found === null) return false;
  into['utc_offset_minutes'] = (Number(found[2]) * 60 + Number(found[3] ?? 0)) * (found[1] === '-' ? -1 : 1);
  return true;
}

function agents(value: JsonValue, into: Entry): boolean {
  if (typeof value !== 'string' || value === '') return false;
  into['agents'] = [value];
  into['name'] ??= value.slice(0, 64);
  return true;
}

function orgs(value: JsonValue, into: Entry): boolean {
  if (typeof value !== 'string' || value === '') return false;
  into['orgs'] = [value];
  return true;
}

function under(section: string): Kind['place'] {
  return (document, entries) => ({ ...document, [section]: [...entries] });
}

const LABEL = { label: 'label', ids: ['id', 'orgId', 'createdAt', 'updatedAt', 'createdBy', 'enabled'] } as const;

const KINDS: Readonly<Record<string, Kind>> = {
  thresholds: {
    lists: ['thresholds', 'toolThresholds'],
    mark: 'toolPattern',
    readings: [
      ['toolPattern', text('tool')],
      ['flagThreshold', thousandths('flag')],
      ['blockThreshold', thousandths('block')],
      ['reason', text('reason')],
    ],
    required: ['tool', 'flag', 'block'],
    ignored: LABEL.ids,
    place: (document, entries) => ({ ...document, settings: { tool_thresholds: [...entries] } }),
  },
  exemptions: {
    lists: ['exemptions', 'scopeExemptions'],
    mark: 'ruleIds',
    readings: [
      ['label', text('label')],
      ['ruleIds', texts('rules')],
      ['scope', text('scope')],
      ['description', text('description')],
    ],
    required: ['label', 'rules', 'scope'],
    ignored: LABEL.ids,
    place: under('exemptions'),
  },
  policies: {
    lists: ['policies', 'cedarPolicies'],
    mark: 'compiled',
    readings: [
      ['id', text('id')],
      ['name', text('id')],
      ['mode', word('mode', ['cedar', 'dsl'])],
      ['compiled', text('compiled')],
      ['cedar_action', word('cedar_action', ['deny', 'remove_scope'])],
      ['cedar_reason', text('cedar_reason')],
      ['cedar_scope', text('cedar_scope')],
    ],
    required: ['id', 'compiled'],
    ignored: ['orgId', 'createdAt', 'updatedAt', 'createdBy', 'enabled'],
    // Clampd's own policies only took away: without a permit of its own, everything would be denied.
    place: (document, entries) => ({ ...document, cedar: { default: 'allow', policies: [...entries] } }),
  },
  boundaries: {
    lists: ['boundaries'],
    mark: 'max_records_per_query',
    readings: [
      ['name', text('name')],
      ['agent_id', agents],
      ['org_id', orgs],
      ['max_records_per_query', count('max_records')],
      ['max_calls_per_minute', count('max_calls_per_minute')],
      ['max_calls_per_session', count('max_calls_per_session')],
      ['max_data_volume_mb_per_hour', count('max_bytes_per_hour', 1_048_576)],
      ['allowed_external_domains', texts('allow_domains')],
      ['blocked_external_domains', texts('block_domains')],
      ['allowed_hours_start', hour('from')],
      ['allowed_hours_end', hour('to')],
      ['allowed_hours_timezone', zone],
      ['allowed_days', days],
      ['max_payment_per_tx_cents', count('max_payment_per_tx_cents')],
      ['max_payment_per_hour_cents', count('max_payment_per_hour_cents')],
      ['approved_vendors', texts('approved_vendors')],
    ],
    required: ['name'],
    ignored: LABEL.ids,
    place: under('boundaries'),
  },
  protected_entities: {
    lists: ['protectedEntities', 'protected_entities'],
    mark: 'tables',
    readings: [
      ['name', text('name')],
      ['tables', texts('tables')],
      ['hosts', texts('hosts')],
      ['paths', texts('paths')],
      ['action', word('action', ['block', 'deny', 'warn', 'flag'])],
    ],
    required: ['name'],
    ignored: LABEL.ids,
    place: under('protected_entities'),
  },
};

/** `maxCallsPerMinute` is `max_calls_per_minute`: Clampd's wire has both. */
function snake(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

class Import {
  readonly remarks: ImportRemark[] = [];

  remark(path: string, why: string): undefined {
    this.remarks.push({ path, why });
  }

  /** One field; false where its value makes the entry useless. */
  field(kind: Kind, into: Entry, at: { readonly path: string; readonly key: string; readonly value: JsonValue }): boolean {
    const { path, key, value } = at;
    const reading = kind.readings.find(([known]) => known === key || known === snake(key));
    if (value === null || (reading === undefined && kind.ignored.includes(key))) return true;
    if (reading === undefined) {
      this.remark(`${path}.${key}`, 'left out: there is no place for it');
      return true;
    }
    if (reading[1](value, into)) return true;
    this.remark(`${path}.${key}`, 'its value is not of the form it should have, so the entry is left out');
    return false;
  }

  /** An entry of a document, or nothing where it cannot be one: half of a restriction is none. */
  entry(kind: Kind, value: JsonValue, place: { readonly path: string; readonly number: number }): Entry | undefined {
    const { path } = place;
    if (!isJsonObject(value)) return this.remark(path, 'not an object');
    if (getOwn(value, 'enabled') === false) return this.remark(path, 'it was switched off');
    const into: Entry = kind.mark === 'compiled' ? { id: `policy-${String(place.number)}` } : {};
    const read = Object.entries(value).map(([key, item]) => this.field(kind, into, { path, key, value: item }));
    if (read.includes(false)) return undefined;
    const missing = kind.required.filter((field) => into[field] === undefined);
    return missing.length > 0 ? this.remark(path, `left out: it lacks ${missing.join(', ')}`) : into;
  }

  list(kind: Kind, value: JsonValue, path: string): readonly Entry[] {
    if (Array.isArray(value))
      return this.entries(
        kind,
        itemsOf(value).map((item, i) => [`${path}[${String(i)}]`, item]),
      );
    if (!isJsonObject(value)) {
      this.remark(path, 'neither a list nor an object');
      return [];
    }
    // One entry, or entries by agent id.
    const [first] = Object.values(value);
    if (!isJsonObject(first ?? null)) return this.list(kind, [value], path);
    return this.entries(
      kind,
      Object.entries(value).map(([key, item]) => [`${path}.${key}`, isJsonObject(item) ? { agent_id: key, ...item } : item]),
    );
  }

  entries(kind: Kind, items: readonly (readonly [path: string, value: JsonValue])[]): readonly Entry[] {
    return items.map(([path, value], i) => this.entry(kind, value, { path, number: i + 1 })).filter((entry) => entry !== undefined);
  }
}

function kindOfList(items: readonly JsonValue[]): string | undefined {
  const [first] = items;
  if (!isJsonObject(first ?? null)) return undefined;
  const keys = new Set(Object.keys(first as JsonObject).flatMap((key) => [key, snake(key)]));
  return Object.entries(KINDS).find(([, { mark }]) => keys.has(mark))?.[0];
}

/** The lists of the JSON, each with its kind. */
function listsOf(json: JsonValue, run: Import): readonly (readonly [name: string, value: JsonValue, path: string])[] {
  if (Array.isArray(json)) {
    const name = kindOfList(itemsOf(json));
    if (name === undefined) run.remark('', 'nobody knows what this is a list of');
    return name === undefined ? [] : [[name, json, '']];
  }
  if (!isJsonObject(json)) {
    run.remark('', 'neither a list nor an object');
    return [];
  }
  return Object.entries(json).flatMap(([key, value]) => {
    const name = Object.entries(KINDS).find(([, { lists }]) => lists.includes(key))?.[0];
    if (name === undefined) run.remark(key, 'left out: there is no place for it');
    return name === undefined ? [] : [[name, value, key] as const];
  });
}

/**
 * Makes a policy document of Clampd's JSON.
 * @param base What the document extends: a ruleset.
 */
export function importClampd(json: JsonValue, base: string): ImportedClampd {
  const run = new Import();
  const counts: Record<string, number> = {};
  let document: JsonObject = { version: '1.5.0', name: 'from-clampd', extends: base };
  for (const [name, value, path] of listsOf(json, run)) {
    const kind = KINDS[name];
    if (kind === undefined) continue;
    const entries = run.list(kind, value, path);
    counts[name] = (counts[name] ?? 0) + entries.length;
    if (entries.length > 0) document = kind.place(document, entries);
  }
  return { document: stringify(document, { lineWidth: 0 }), counts, remarks: run.remarks };
}
