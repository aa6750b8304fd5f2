/**
 * @module HushSpec 0.1 documents as documents of the policy format: other names for the same things. What is translated is then checked
 * like any policy, and every fault is said with the path, line and column of the HushSpec text.
 */
import { getOwn, isJsonObject, type JsonArray, type JsonObject, type JsonValue } from '@countersign/kernel';
import { complain, type Check } from './check-fields.ts';
import { dotted } from './document-path.ts';
import { faultAt, quoted, suggest, type PolicyFault, type Position } from './faults.ts';

export const HUSHSPEC_VERSIONS: readonly string[] = ['0.1.0'];

/** What a HushSpec key becomes. `to`: path in the policy, from the policy's own place; absent where the name stays. */
interface Rule {
  readonly to?: readonly string[];
  readonly keys?: Keys;
  /** Keys are names that people choose; each value has these keys. */
  readonly each?: Keys;
  /** Words of the value that are called otherwise. */
  readonly words?: Readonly<Record<string, string>>;
}
interface Keys {
  readonly [key: string]: Rule;
}

/** A field that is called the same and holds the same. */
const SAME: Rule = {};
const to = (...path: readonly string[]): Rule => ({ to: path });

const SECRET: Keys = {
  name: SAME,
  pattern: SAME,
  severity: { words: { warn: 'warning' } },
  description: SAME,
};

const RULES: Keys = {
  forbidden_paths: { to: ['guards', 'forbidden_path'], keys: { enabled: SAME, patterns: SAME, exceptions: SAME } },
  path_allowlist: {
    to: ['guards', 'path_allowlist'],
    keys: { enabled: SAME, read: to('file_access_allow'), write: to('file_write_allow'), patch: to('patch_allow') },
  },
  egress: { to: ['guards', 'egress_allowlist'], keys: { enabled: SAME, allow: SAME, block: SAME, default: to('default_action') } },
  secret_patterns: { to: ['guards', 'secret_leak'], keys: { enabled: SAME, patterns: { each: SECRET }, skip_paths: SAME } },
  patch_integrity: {
    to: ['guards', 'patch_integrity'],
    keys: {
      enabled: SAME,
      max_additions: SAME,
      max_deletions: SAME,
      forbidden_patterns: SAME,
      require_balance: SAME,
      max_imbalance_ratio: SAME,
    },
  },
  shell_commands: { to: ['guards', 'shell_command'], keys: { enabled: SAME, forbidden_patterns: SAME } },
  tool_access: {
    to: ['guards', 'mcp_tool'],
    keys: { enabled: SAME, allow: SAME, block: SAME, require_confirmation: SAME, default: to('default_action'), max_args_size: SAME },
  },
  computer_use: { to: ['guards', 'computer_use'], keys: { enabled: SAME, mode: SAME, allowed_actions: SAME } },
  remote_desktop_channels: {
    to: ['guards', 'remote_desktop_side_channel'],
    keys: {
      enabled: SAME,
      clipboard: to('clipboard_enabled'),
      file_transfer: to('file_transfer_enabled'),
      audio: to('audio_enabled'),
      drive_mapping: to('drive_mapping_enabled'),
    },
  },
  input_injection: {
    to: ['guards', 'input_injection_capability'],
    keys: { enabled: SAME, allowed_types: to('allowed_input_types'), require_postcondition_probe: SAME },
  },
};

const CAPABILITIES: Rule = { words: { tool_call: 'mcp_tool' } };
const BUDGETS: Keys = {
  file_writes: SAME,
  egress_calls: SAME,
  shell_commands: SAME,
  tool_calls: to('mcp_tool_calls'),
  patches: SAME,
  custom_calls: SAME,
};

const EXTENSIONS: Keys = {
  posture: {
    to: ['posture'],
    keys: {
      initial: SAME,
      states: { each: { description: SAME, capabilities: CAPABILITIES, budgets: { keys: BUDGETS } } },
      transitions: SAME,
    },
  },
  // What profiles hold is refused with `origins` itself, by the names of the policy format.
  origins: { to: ['origins'] },
  detection: {
    to: [],
    keys: {
      prompt_injection: {
        to: ['guards', 'prompt_injection'],
        keys: { enabled: SAME, warn_at_or_above: SAME, block_at_or_above: SAME, max_scan_bytes: SAME },
      },
      jailbreak: {
        to: ['guards', 'jailbreak'],
        keys: {
          enabled: SAME,
          block_threshold: to('detector', 'block_threshold'),
          warn_threshold: to('detector', 'warn_threshold'),
          max_input_bytes: to('detector', 'max_input_bytes'),
        },
      },
      threat_intel: {
        to: ['guards', 'spider_sense'],
        keys: { enabled: SAME, pattern_db: to('pattern_db_path'), similarity_threshold: SAME, top_k: SAME },
      },
    },
  },
};

const DOCUMENT: Keys = {
  hushspec: SAME,
  name: SAME,
  description: SAME,
  extends: SAME,
  merge_strategy: SAME,
  rules: { to: [], keys: RULES },
  extensions: { to: [], keys: EXTENSIONS },
};

/** The policy as it grows, and where each of its parts stood. */
interface Translation {
  readonly check: Check;
  /** HushSpec path by policy path. */
  readonly origins: Map<string, string>;
}

interface Place {
  /** Path in the HushSpec text. */
  readonly from: string;
  /** Path in the policy. */
  readonly path: string;
}

type Draft = Map<string, Draft | JsonValue>;

function isDraft(value: Draft | JsonValue | undefined): value is Draft {
  return value instanceof Map;
}

/** The mapping at a path of the draft, made where it is not there. */
function within(draft: Draft, path: readonly string[]): Draft {
  let at = draft;
  for (const key of path) {
    const there = at.get(key);
    const next: Draft = isDraft(there) ? there : new Map<string, Draft | JsonValue>();
    at.set(key, next);
    at = next;
  }
  return at;
}

function asJson(value: Draft | JsonValue): JsonValue {
  if (!isDraft(value)) return value;
  return Object.fromEntries([...value].map(([key, item]) => [key, asJson(item)]));
}

/** A value that keeps its form: the places of all it holds are noted, and words that are called otherwise replaced. */
function copy(translation: Translation, value: JsonValue, rule: Rule, place: Place): JsonValue {
  translation.origins.set(place.path, place.from);
  if (Array.isArray(value)) {
    const items = value as JsonArray;
    return items.map((item, i) => {
      const at = { from: dotted(place.from, i), path: dotted(place.path, i) };
      if (rule.each === undefined || !isJsonObject(item)) return copy(translation, item, rule, at);
      translation.origins.set(at.path, at.from);
      return translateShape(translation, item, rule.each, at);
    });
  }
  if (isJsonObject(value)) {
    const entries = Object.keys(value).map((key): [string, JsonValue] => {
      const at = { from: dotted(place.from, key), path: dotted(place.path, key) };
      return [key, copyEntry(translation, getOwn(value, key) ?? null, rule, at)];
    });
    return Object.fromEntries(entries);
  }
  return typeof value === 'string' && rule.words !== undefined ? (getOwn(rule.words, value) ?? value) : value;
}

function copyEntry(translation: Translation, value: JsonValue, rule: Rule, at: Place): JsonValue {
  if (rule.each === undefined || !isJsonObject(value)) return copy(translation, value, {}, at);
  translation.origins.set(at.path, at.from);
  return translateShape(translation, value, rule.each, at);
}

function unknownKey(check: Check, keys: Keys, key: string, path: string): void {
  const known = Object.keys(keys);
  const meant = suggest(key, known);
  complain(check, path, {
    code: 'policy_unknown_field',
    message: `there is no field ${quoted(key)} here`,
    hint: meant === undefined ? `known fields: ${known.join(', ')}` : `did you mean ${quoted(meant)}?`,
  });
}

/** Lays what a mapping holds into the draft, key by key. */
function translateInto(translation: Translation, draft: Draft, value: JsonObject, keys: Keys, place: Place): void {
  for (const key of Object.keys(value)) {
    const from = dotted(place.from, key);
    const rule = Object.hasOwn(keys, key) ? keys[key] : undefined;
    const item = getOwn(value, key) ?? null;
    if (rule === undefined) {
      unknownKey(translation.check, keys, key, from);
      continue;
    }
    const target = rule.to ?? [key];
    let path = place.path;
    for (const step of target) path = dotted(path, step);
    const parent = within(draft, target.slice(0, -1));
    const name = target.at(-1);
    if (name !== undefined) translation.origins.set(path, from);
    if (rule.keys !== undefined && isJsonObject(item)) {
      translateInto(translation, name === undefined ? draft : within(parent, [name]), item, rule.keys, { from, path });
    } else if (name !== undefined) {
      parent.set(name, copy(translation, item, rule, { from, path }));
    } else if (item !== null) {
      complain(translation.check, from, { code: 'policy_type', message: 'must be a mapping' });
    }
  }
}

function translateShape(translation: Translation, value: JsonObject, keys: Keys, place: Place): JsonValue {
  const draft: Draft = new Map<string, Draft | JsonValue>();
  translateInto(translation, draft, value, keys, place);
  return asJson(draft);
}

export interface HushReading {
  /** The same in the policy format. */
  readonly value: JsonObject;
  /** By path in the policy format. */
  readonly positions: ReadonlyMap<string, Position>;
  /** Says a fault with the path of the HushSpec text. */
  relocate(fault: PolicyFault): PolicyFault;
}

/** True where the text says that it is a HushSpec document. */
export function isHushSpec(root: JsonObject): boolean {
  return Object.hasOwn(root, 'hushspec');
}

/** Translates a HushSpec document; faults are noted in `check`. */
export function translateHushSpec(check: Check, root: JsonObject): HushReading {
  const version = getOwn(root, 'hushspec');
  if (typeof version !== 'string' || !HUSHSPEC_VERSIONS.includes(version)) {
    complain(check, 'hushspec', { code: 'policy_version', message: `HushSpec is read in version ${HUSHSPEC_VERSIONS.join(', ')}` });
  }
  const translation: Translation = { check, origins: new Map() };
  const draft: Draft = new Map<string, Draft | JsonValue>();
  translateInto(translation, draft, root, DOCUMENT, { from: '', path: '' });
  draft.delete('hushspec');
  const positions = new Map<string, Position>();
  for (const [path, from] of translation.origins) {
    const position = check.positions.get(from);
    if (position !== undefined) positions.set(path, position);
  }
  const value = asJson(draft);
  return {
    value: isJsonObject(value) ? value : {},
    positions,
    relocate: (fault) => relocated(fault, translation.origins, check),
  };
}

/** The nearest path of the policy that came from the text; what is below it is called the same. */
function relocated(fault: PolicyFault, origins: ReadonlyMap<string, string>, { source, positions }: Check): PolicyFault {
  const { code, message, path = '', hint } = fault;
  let known = path;
  while (known !== '' && !origins.has(known)) known = known.slice(0, Math.max(known.lastIndexOf('.'), known.lastIndexOf('['), 0));
  const from = (origins.get(known) ?? '') + path.slice(known.length);
  return faultAt(code, message, { path: from, source, position: positions.get(from), hint });
}
