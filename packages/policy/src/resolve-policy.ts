/**
 * @module A document, what it extends and the operator's host sets to one plain JSON value with nothing left open.
 */
import { sha256Hex } from '@countersign/crypto';
import { canonicalize, err, invariant, ok, type Result } from '@countersign/kernel';
import { HOST_SET_ENTRY, rulesetOf } from './check-fields.ts';
import {
  asJson,
  type Detection,
  GUARD_NAMES,
  type GuardConfigs,
  type GuardName,
  type PolicyDocument,
  type PolicySettings,
  type ResolvedPolicy,
  type WrittenGuards,
} from './content.ts';
import { BLOCK_DEFAULTS, BUILTIN_HOST_SETS, DETECTION_DEFAULTS, GUARD_DEFAULTS, SETTINGS_DEFAULTS, VERSION_DEFAULT } from './defaults.ts';
import { faultAt, quoted, suggest, type FaultPlace, type PolicyFault } from './faults.ts';
import { compileHostGlob } from './glob.ts';
import { POLICY_LIMITS } from './limits.ts';
import { mergeGuard } from './merge-guards.ts';
import { layPosture, type Posture, postureFaults } from './posture.ts';

export interface ResolveOptions {
  /** Documents by ruleset name; those that `extends` may reach. */
  readonly rulesets: ReadonlyMap<string, PolicyDocument>;
  /** Hosts by set name, from the operator's own configuration. `package-registries` is empty where it is absent. */
  readonly hostSets: ReadonlyMap<string, readonly string[]>;
}

type PartialGuards = { readonly [Name in GuardName]?: GuardConfigs[Name] };

interface Layer {
  readonly version: string;
  readonly name: string;
  readonly description: string;
  readonly guards: PartialGuards;
  readonly settings: PolicySettings;
  readonly detection: Detection;
  readonly posture: Posture | undefined;
}

function placeOf(document: PolicyDocument, path: string): FaultPlace {
  return { path, source: document.source, position: document.positions.get(path) };
}

function layGuard<Name extends GuardName>(
  name: Name,
  written: WrittenGuards | undefined,
  base: PartialGuards | undefined,
): GuardConfigs[Name] | undefined {
  const block: WrittenGuards[Name] | undefined = written?.[name];
  if (block === undefined) return base?.[name];
  if (base === undefined) return mergeGuard(name, block, { base: BLOCK_DEFAULTS[name], merged: false });
  return mergeGuard(name, block, { base: base[name] ?? GUARD_DEFAULTS[name], merged: true });
}

function layGuards(written: WrittenGuards | undefined, base: PartialGuards | undefined): PartialGuards {
  const entries = GUARD_NAMES.flatMap((name) => {
    const config = layGuard(name, written, base);
    return config === undefined ? [] : [[name, config] as const];
  });
  return Object.fromEntries(entries);
}

function laySettings(document: PolicyDocument, base: PolicySettings): PolicySettings {
  const { thresholds, ...rest } = document.content.settings ?? {};
  return { ...base, ...rest, thresholds: { ...base.thresholds, ...thresholds } };
}

/** Level and list replace what is below, scores replace rule by rule. */
function layDetection(document: PolicyDocument, base: Detection): Detection {
  const written = document.content.detection ?? {};
  const disable = written.disable === undefined ? base.disable : [...new Set(written.disable)].toSorted();
  return { ...base, ...written, disable, scores: { ...base.scores, ...written.scores } };
}

/** A section that says nothing but the defaults is left out: policies that do not know it keep their form and their hash. */
function detectionPart(detection: Detection): Pick<ResolvedPolicy, 'detection'> {
  const isDefault =
    detection.paranoia_level === DETECTION_DEFAULTS.paranoia_level &&
    detection.disable.length === 0 &&
    Object.keys(detection.scores).length === 0;
  return isDefault ? {} : { detection };
}

/** Version, name and description: the document's own, else those of what it extends. */
function identityOf({ content }: PolicyDocument, under: Layer | undefined): Pick<Layer, 'version' | 'name' | 'description'> {
  const named = content.name !== undefined && content.name !== '';
  return {
    version: content.version ?? VERSION_DEFAULT,
    name: named ? (content.name ?? '') : (under?.name ?? ''),
    description: content.description ?? under?.description ?? '',
  };
}

/** `merge`: a section that the document holds replaces the whole section of the base. */
function replaceSections(document: PolicyDocument, under: Layer): Omit<Layer, 'version' | 'name' | 'description'> {
  const { guards, settings, detection, posture } = document.content;
  return {
    guards: guards === undefined ? under.guards : layGuards(guards, undefined),
    settings: settings === undefined ? under.settings : laySettings(document, SETTINGS_DEFAULTS),
    detection: detection === undefined ? under.detection : layDetection(document, DETECTION_DEFAULTS),
    posture: posture === undefined ? under.posture : layPosture(posture, undefined),
  };
}

function layOn(document: PolicyDocument, base: Layer | undefined): Layer {
  const strategy = document.content.merge_strategy ?? 'deep_merge';
  const under = strategy === 'replace' ? undefined : base;
  const identity = identityOf(document, under);
  if (strategy === 'merge' && under !== undefined) return { ...identity, ...replaceSections(document, under) };
  const settings = laySettings(document, under?.settings ?? SETTINGS_DEFAULTS);
  const detection = layDetection(document, under?.detection ?? DETECTION_DEFAULTS);
  const posture = layPosture(document.content.posture, under?.posture);
  return { ...identity, guards: layGuards(document.content.guards, under?.guards), settings, detection, posture };
}

/** From the document to its last ancestor. */
function ancestry(document: PolicyDocument, options: ResolveOptions): Result<readonly PolicyDocument[], PolicyFault> {
  const chain = [document];
  const seen = new Set<string>();
  for (let current = document; current.content.extends !== undefined;) {
    const place = placeOf(current, 'extends');
    const name = rulesetOf(current.content.extends);
    const next = name === undefined ? undefined : options.rulesets.get(name);
    if (name === undefined || next === undefined)
      return err(faultAt('policy_extends', `the ruleset ${quoted(current.content.extends)} is not at hand`, place));
    if (seen.has(name) || next === document) return err(faultAt('policy_extends_cycle', `${quoted(name)} extends itself`, place));
    seen.add(name);
    chain.push(next);
    if (chain.length > POLICY_LIMITS.extendsDepthMax)
      return err(faultAt('policy_extends_depth', `more than ${String(POLICY_LIMITS.extendsDepthMax)} documents extend each other`, place));
    current = next;
  }
  return ok(chain);
}

interface HostReading {
  readonly hosts: readonly string[];
  readonly faults: readonly PolicyFault[];
}

function hostsOfSet(entry: string, options: ResolveOptions, place: FaultPlace): HostReading {
  const name = entry.slice(1);
  const hosts = options.hostSets.get(name) ?? (BUILTIN_HOST_SETS.includes(name) ? [] : undefined);
  if (hosts === undefined) {
    const meant = suggest(name, [...new Set([...BUILTIN_HOST_SETS, ...options.hostSets.keys()])]);
    const hint = meant === undefined ? `name it with \`countersign hosts set ${name} HOST...\`` : `did you mean ${quoted(`@${meant}`)}?`;
    return { hosts: [], faults: [faultAt('policy_host_set', `there is no host set ${quoted(name)}`, { ...place, hint })] };
  }
  const faults = hosts.flatMap((host) => {
    const glob = compileHostGlob(host);
    return glob.ok ? [] : [faultAt('policy_host_set', `the host set ${quoted(name)} holds ${quoted(host)}: ${glob.error}`, place)];
  });
  return { hosts, faults };
}

function freezeHosts(entries: readonly string[], options: ResolveOptions, place: FaultPlace): HostReading {
  const hosts: string[] = [];
  const faults: PolicyFault[] = [];
  for (const entry of entries) {
    if (!HOST_SET_ENTRY.test(entry)) {
      hosts.push(entry);
      continue;
    }
    const set = hostsOfSet(entry, options, place);
    hosts.push(...set.hosts);
    faults.push(...set.faults);
  }
  return { hosts: [...new Set(hosts)], faults };
}

/**
 * Fills in every default, lays the document on what it extends and freezes host sets in.
 * @returns Pure JSON: equal inputs give byte-equal `JCS`.
 */
export function resolvePolicy(document: PolicyDocument, options: ResolveOptions): Result<ResolvedPolicy, readonly PolicyFault[]> {
  const chain = ancestry(document, options);
  if (!chain.ok) return err([chain.error]);
  const [last, ...heirs] = chain.value.toReversed();
  invariant(last !== undefined, 'a document is its own first ancestor');
  let layer = layOn(last, undefined);
  for (const heir of heirs) layer = layOn(heir, layer);
  const { settings } = layer;
  const guards: GuardConfigs = { ...GUARD_DEFAULTS, ...layer.guards };
  const egress = guards.egress_allowlist;
  const allow = freezeHosts(egress.allow, options, placeOf(document, 'guards.egress_allowlist.allow'));
  const block = freezeHosts(egress.block, options, placeOf(document, 'guards.egress_allowlist.block'));
  const faults = [...allow.faults, ...block.faults];
  if (settings.thresholds.flag > settings.thresholds.block) {
    faults.push(faultAt('policy_range', '`flag` must not be above `block` once merged', placeOf(document, 'settings.thresholds')));
  }
  for (const { code, message, path, hint } of layer.posture === undefined ? [] : postureFaults(layer.posture))
    faults.push(faultAt(code, message, { ...placeOf(document, path), hint }));
  if (faults.length > 0) return err(faults);
  return ok({
    format: 'countersign.policy.v1',
    version: layer.version,
    name: layer.name,
    description: layer.description,
    guards: { ...guards, egress_allowlist: { ...egress, allow: allow.hosts, block: block.hosts } },
    settings,
    ...detectionPart(layer.detection),
    ...(layer.posture !== undefined && { posture: layer.posture }),
  });
}

/** Lower-case hex SHA-256 of the RFC 8785 form of a resolved policy: what receipts name. */
export function policyHash(resolved: ResolvedPolicy): string {
  return sha256Hex(canonicalize(asJson(resolved)));
}
