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

const PROFILE: Keys = {
  id: SAME,
  match: to('match_rules'),
  posture: SAME,
  tool_access: {
    to: ['mcp'],
    keys: { enabled: SAME, allow: SAME, block: SAME, require_confirmation: SAME, default: to('default_action'), max_args_size: SAME },
  },
  egress: { keys: { enabled: SAME, allow: SAME, block: SAME, default: to('default_action') } },
  data: SAME,
  budgets: { keys: { tool_calls: to('mcp_tool_calls'), egress_calls: SAME, shell_commands: SAME } },
  bridge: to('bridge_policy'),
  explanation: SAME,
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
  origins: { keys: { default_behavior: SAME, profiles: { each: PROFILE } } },
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

interface Shaped {
  readonly value: JsonObject;
  readonly keys: Keys;
}

/** The value at a key as another mapping, where the rule says that it is one. */
function shapedBy(value: JsonValue, keys: Keys | undefined): Shaped | undefined {
  return keys !== undefined && isJsonObject(value) ? { value, keys } : undefined;
}

class Translator {
  /** HushSpec path by policy path. */
  readonly origins = new Map<string, string>();
  readonly #check: Check;

  constructor(check: Check) {
    this.#check = check;
  }

  /** Lays what a mapping holds into the draft, key by key. */
  into(draft: Draft, { value, keys }: Shaped, place: Place): void {
    for (const key of Object.keys(value)) {
      const from = dotted(place.from, key);
      const rule = Object.hasOwn(keys, key) ? keys[key] : undefined;
      if (rule === undefined) this.#unknown(keys, key, from);
      else this.#member(draft, { item: getOwn(value, key) ?? null, rule, target: rule.to ?? [key] }, { from, path: place.path });
    }
  }

  #member(
    draft: Draft,
    { item, rule, target }: { readonly item: JsonValue; readonly rule: Rule; readonly target: readonly string[] },
    { from, path: under }: Place,
  ): void {
    const path = target.reduce((at, step) => dotted(at, step), under);
    const name = target.at(-1);
    const shaped = shapedBy(item, rule.keys);
    if (name === undefined) {
      if (shaped !== undefined) this.into(draft, shaped, { from, path });
      else if (item !== null) complain(this.#check, from, { code: 'policy_type', message: 'must be a mapping' });
      return;
    }
    this.origins.set(path, from);
    const parent = within(draft, target.slice(0, -1));
    if (shaped === undefined) parent.set(name, this.#copy(item, rule, { from, path }));
    else this.into(within(parent, [name]), shaped, { from, path });
  }

  /** A value that keeps its form: the places of all it holds are noted, and words that are called otherwise replaced. */
  #copy(value: JsonValue, rule: Rule, place: Place): JsonValue {
    this.origins.set(place.path, place.from);
    const below = (key: string | number): Place => ({ from: dotted(place.from, key), path: dotted(place.path, key) });
    if (Array.isArray(value)) return (value as JsonArray).map((item, i) => this.#item(item, rule, below(i)));
    if (isJsonObject(value)) {
      const inner = rule.each === undefined ? {} : rule;
      return Object.fromEntries(Object.keys(value).map((key) => [key, this.#item(getOwn(value, key) ?? null, inner, below(key))]));
    }
    return typeof value === 'string' && rule.words !== undefined ? (getOwn(rule.words, value) ?? value) : value;
  }

  #item(value: JsonValue, rule: Rule, at: Place): JsonValue {
    const shaped = shapedBy(value, rule.each);
    if (shaped === undefined) return this.#copy(value, rule.each === undefined ? rule : {}, at);
    this.origins.set(at.path, at.from);
    const draft: Draft = new Map<string, Draft | JsonValue>();
    this.into(draft, shaped, at);
    return asJson(draft);
  }

  #unknown(keys: Keys, key: string, path: string): void {
    const known = Object.keys(keys);
    const meant = suggest(key, known);
    complain(this.#check, path, {
      code: 'policy_unknown_field',
      message: `there is no field ${quoted(key)} here`,
      hint: meant === undefined ? `known fields: ${known.join(', ')}` : `did you mean ${quoted(meant)}?`,
    });
  }
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
  const translator = new Translator(check);
  const draft: Draft = new Map<string, Draft | JsonValue>();
  translator.into(draft, { value: root, keys: DOCUMENT }, { from: '', path: '' });
  draft.delete('hushspec');
  const positions = new Map<string, Position>();
  for (const [path, from] of translator.origins) {
    const position = check.positions.get(from);
    if (position !== undefined) positions.set(path, position);
  }
  const value = asJson(draft);
  return {
    value: isJsonObject(value) ? value : {},
    positions,
    relocate: (fault) => relocated(fault, translator.origins, check),
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
