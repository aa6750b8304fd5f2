/**
 * @module A document, what it extends and the operator's host sets to one plain JSON value with nothing left open.
 */
import { sha256Hex } from '@countersign/crypto';
import { canonicalize, err, invariant, ok, type Result } from '@countersign/kernel';
import { widenings } from './attenuation.ts';
import type { Widening } from './attenuation-rows.ts';
import { type CedarConfig, layCedar } from './cedar/cedar-section.ts';
import type { ClampdSections } from './clampd-content.ts';
import { layClampd } from './clampd-sections.ts';
import { HOST_SET_ENTRY } from './check-fields.ts';
import {
  asJson,
  type CustomGuards,
  type Detection,
  GUARD_NAMES,
  type GuardConfigs,
  type GuardName,
  LATER_GUARDS,
  type PolicyDocument,
  type PolicySettings,
  type ResolvedGuards,
  type ResolvedPolicy,
  type WrittenGuards,
} from './content.ts';
import { BLOCK_DEFAULTS, BUILTIN_HOST_SETS, DETECTION_DEFAULTS, GUARD_DEFAULTS, SETTINGS_DEFAULTS, VERSION_DEFAULT } from './defaults.ts';
import { rulesetOf } from './extends-reference.ts';
import { faultAt, quoted, suggest, type FaultPlace, type PolicyFault } from './faults.ts';
import { compileHostGlob } from './glob.ts';
import { type SpiderSenseConfig, spiderProblems, withoutSources } from './guards/spider-sense-config.ts';
import { textGuardFaults } from './guards/text-guards-config.ts';
import { POLICY_LIMITS } from './limits.ts';
import { customProblems, layCustom } from './guards/custom-guards-config.ts';
import { mergeGuard } from './merge-guards.ts';
import { type Broker, brokerFaults, layBroker } from './broker.ts';
import { layOrigins } from './lay-origins.ts';
import { originFaults, type OriginProfile, type Origins } from './origins.ts';
import { loadPatterns, type PatternWorld } from './spider/load-patterns.ts';
import { layPosture, type Posture, postureFaults } from './posture.ts';
import { layVerification, type Verification } from './verification.ts';

export interface ResolveOptions extends PatternWorld {
  /** Documents by ruleset name; those that `extends` may reach. */
  readonly rulesets: ReadonlyMap<string, PolicyDocument>;
  /** Hosts by set name, from the operator's own configuration. `package-registries` is empty where it is absent. */
  readonly hostSets: ReadonlyMap<string, readonly string[]>;
  /** All that the document extends, nearest first, where it is not rulesets alone: what `loadAncestors` gave. */
  readonly ancestors?: readonly PolicyDocument[];
}

type BuiltinGuards = { readonly [Name in GuardName]?: GuardConfigs[Name] };
type PartialGuards = BuiltinGuards & CustomGuards;

interface Layer {
  readonly version: string;
  readonly name: string;
  readonly description: string;
  readonly guards: PartialGuards;
  readonly settings: PolicySettings;
  readonly detection: Detection;
  readonly posture: Posture | undefined;
  readonly cedar: CedarConfig | undefined;
  readonly clampd: ClampdSections;
  readonly origins: Origins | undefined;
  readonly broker: Broker | undefined;
  readonly verification: Verification | undefined;
}

function placeOf(document: PolicyDocument, path: string): FaultPlace {
  return { path, source: document.source, position: document.positions.get(path) };
}

function layGuard<Name extends GuardName>(
  name: Name,
  written: WrittenGuards | undefined,
  base: BuiltinGuards | undefined,
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
  const custom = layCustom(written?.custom, base?.custom);
  return { ...Object.fromEntries(entries), ...(custom !== undefined && { custom }) };
}

function laySettings(document: PolicyDocument, base: PolicySettings): PolicySettings {
  const { thresholds, verification: _, ...rest } = document.content.settings ?? {};
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

function sameJson(a: object, b: object): boolean {
  return canonicalize({ ...a }) === canonicalize({ ...b });
}

/** Later guards that say nothing but their defaults are left out, as `detection` is. */
function guardsPart(guards: GuardConfigs & CustomGuards): ResolvedGuards {
  const silent = new Set<string>(LATER_GUARDS.filter((name) => sameJson(guards[name], GUARD_DEFAULTS[name])));
  return Object.fromEntries(Object.entries(guards).filter(([name]) => !silent.has(name))) as ResolvedGuards;
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

type Sections = Omit<Layer, 'version' | 'name' | 'description' | 'verification'>;

/** `merge`: a section that the document holds replaces the whole section of the base. */
function replaceSections(document: PolicyDocument, under: Layer): Sections {
  const { guards, settings, detection, posture, cedar, origins, broker } = document.content;
  return {
    guards: guards === undefined ? under.guards : layGuards(guards, undefined),
    settings: settings === undefined ? under.settings : laySettings(document, SETTINGS_DEFAULTS),
    detection: detection === undefined ? under.detection : layDetection(document, DETECTION_DEFAULTS),
    posture: posture === undefined ? under.posture : layPosture(posture, undefined),
    cedar: cedar === undefined ? under.cedar : layCedar(cedar, undefined),
    clampd: { ...under.clampd, ...layClampd(document.content, {}) },
    origins: origins === undefined ? under.origins : layOrigins(origins, undefined),
    broker: broker === undefined ? under.broker : layBroker(broker, undefined),
  };
}

/** `deep_merge`, and a document that lies on nothing. */
function mergeSections(document: PolicyDocument, under: Layer | undefined): Sections {
  const { content } = document;
  return {
    guards: layGuards(content.guards, under?.guards),
    settings: laySettings(document, under?.settings ?? SETTINGS_DEFAULTS),
    detection: layDetection(document, under?.detection ?? DETECTION_DEFAULTS),
    posture: layPosture(content.posture, under?.posture),
    cedar: layCedar(content.cedar, under?.cedar),
    clampd: layClampd(content, under?.clampd ?? {}),
    origins: layOrigins(content.origins, under?.origins),
    broker: layBroker(content.broker, under?.broker),
  };
}

function layOn(document: PolicyDocument, base: Layer | undefined): Layer {
  const strategy = document.content.merge_strategy ?? 'deep_merge';
  const under = strategy === 'replace' ? undefined : base;
  const verification = layVerification(document.content.settings?.verification, base?.verification);
  const identity = { ...identityOf(document, under), verification };
  if (strategy === 'merge' && under !== undefined) return { ...identity, ...replaceSections(document, under) };
  return { ...identity, ...mergeSections(document, under) };
}

/** From the document to its last ancestor. */
function ancestry(document: PolicyDocument, options: ResolveOptions): Result<readonly PolicyDocument[], PolicyFault> {
  if (options.ancestors === undefined) return rulesetAncestry(document, options);
  const chain = [document, ...options.ancestors];
  const last = chain.at(-1) ?? document;
  invariant(last.content.extends === undefined, 'the ancestors of a document are all there');
  return ok(chain);
}

const ELSEWHERE = 'files, addresses and commits are followed by `countersign policy` commands, which can fetch them';

function rulesetAncestry(document: PolicyDocument, options: ResolveOptions): Result<readonly PolicyDocument[], PolicyFault> {
  const chain = [document];
  const seen = new Set<string>();
  for (let current = document; current.content.extends !== undefined;) {
    const place = placeOf(current, 'extends');
    const name = rulesetOf(current.content.extends);
    const next = name === undefined ? undefined : options.rulesets.get(name);
    if (name === undefined || next === undefined)
      return err(
        name === undefined
          ? faultAt('policy_extends', `${quoted(current.content.extends)} cannot be followed from here`, { ...place, hint: ELSEWHERE })
          : faultAt('policy_extends', `the ruleset ${quoted(current.content.extends)} is not at hand`, place),
      );
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

interface ProfileReading {
  readonly origins: Origins | undefined;
  readonly faults: readonly PolicyFault[];
}

/** The hosts of origin profiles, as those of the guard. */
function freezeOrigins({ origins }: Layer, options: ResolveOptions, document: PolicyDocument): ProfileReading {
  if (origins === undefined) return { origins, faults: [] };
  const faults: PolicyFault[] = [];
  const frozen = (hosts: readonly string[], path: string): readonly string[] => {
    const reading = freezeHosts(hosts, options, placeOf(document, path));
    faults.push(...reading.faults);
    return reading.hosts;
  };
  const profiles = origins.profiles.map((profile, i): OriginProfile => {
    if (profile.egress === undefined) return profile;
    const path = `origins.profiles[${String(i)}].egress`;
    const { allow, block } = profile.egress;
    return { ...profile, egress: { ...profile.egress, allow: frozen(allow, `${path}.allow`), block: frozen(block, `${path}.block`) } };
  });
  return { origins: { ...origins, profiles }, faults };
}

/** What is wrong with sections once they lie on each other. */
function sectionFaults({ posture, origins, broker }: Layer, document: PolicyDocument): readonly PolicyFault[] {
  const faults = [
    ...(posture === undefined ? [] : postureFaults(posture)),
    ...(origins === undefined ? [] : originFaults(origins, posture)),
    ...(broker === undefined ? [] : brokerFaults(broker)),
  ];
  return faults.map(({ code, message, path, hint }) => faultAt(code, message, { ...placeOf(document, path), hint }));
}

interface SpiderReading {
  readonly config: SpiderSenseConfig;
  readonly faults: readonly PolicyFault[];
}

/** The guard with the database that it names in it, so that the resolved policy is all that judges. */
function freezePatterns(config: SpiderSenseConfig, document: PolicyDocument, options: ResolveOptions): SpiderReading {
  const path = 'guards.spider_sense';
  const problems = spiderProblems({ spider_sense: config }).map(({ path: at, message }) =>
    faultAt('policy_range', `${message} once merged`, placeOf(document, at)),
  );
  const plain = withoutSources(config);
  if (!config.enabled || problems.length > 0) return { config: plain, faults: problems };
  const missing = (['embedding_api_url', 'embedding_model'] as const).filter((name) => config[name] === undefined);
  const faults = missing.map((name) =>
    faultAt('policy_required', `the guard is on, and has no \`${name}\``, nearest(document, `${path}.${name}`)),
  );
  const loaded = loadPatterns(config, options);
  if (loaded.ok) return { config: { ...plain, pattern_db: loaded.value }, faults };
  const { code, message, field, hint } = loaded.error;
  return { config: plain, faults: [...faults, faultAt(code, message, { ...nearest(document, `${path}.${field}`), hint })] };
}

/** A layer with every default filled in and host sets frozen. Faults stand where `document` says what they are about. */
function finish(layer: Layer, document: PolicyDocument, options: ResolveOptions): Result<ResolvedPolicy, readonly PolicyFault[]> {
  const { settings } = layer;
  const guards: GuardConfigs & CustomGuards = { ...GUARD_DEFAULTS, ...layer.guards };
  const egress = guards.egress_allowlist;
  const allow = freezeHosts(egress.allow, options, placeOf(document, 'guards.egress_allowlist.allow'));
  const block = freezeHosts(egress.block, options, placeOf(document, 'guards.egress_allowlist.block'));
  const { origins, faults: inProfiles } = freezeOrigins(layer, options, document);
  const spider = freezePatterns(guards.spider_sense, document, options);
  const faults = [...allow.faults, ...block.faults, ...inProfiles, ...spider.faults];
  if (settings.thresholds.flag > settings.thresholds.block) {
    faults.push(faultAt('policy_range', '`flag` must not be above `block` once merged', placeOf(document, 'settings.thresholds')));
  }
  for (const { path, message } of [...textGuardFaults(guards), ...customProblems(guards.custom)]) {
    faults.push(faultAt('policy_range', `${message} once merged`, placeOf(document, path)));
  }
  faults.push(...sectionFaults(layer, document));
  if (faults.length > 0) return err(faults);
  return ok({
    format: 'countersign.policy.v1',
    version: layer.version,
    name: layer.name,
    description: layer.description,
    guards: guardsPart({
      ...guards,
      egress_allowlist: { ...egress, allow: allow.hosts, block: block.hosts },
      spider_sense: spider.config,
    }),
    settings: layer.verification === undefined ? settings : { ...settings, verification: layer.verification },
    ...detectionPart(layer.detection),
    ...(layer.posture !== undefined && { posture: layer.posture }),
    ...(layer.cedar === undefined ? {} : { cedar: layer.cedar }),
    ...layer.clampd,
    ...(origins !== undefined && { origins }),
    ...(layer.broker !== undefined && { broker: layer.broker }),
  });
}

/** The fields that stand nearest to a path in the document as written: `guards.x.allow` may come from `guards.x.additional_allow`. */
function nearest(document: PolicyDocument, path: string): FaultPlace {
  let written = path;
  while (written !== '' && !document.positions.has(written))
    written = written.slice(0, Math.max(0, written.lastIndexOf('.'), written.lastIndexOf('[')));
  return { path, source: document.source, position: document.positions.get(written === '' ? 'extends' : written) };
}

function said(value: Widening['parent']): string {
  return value === undefined ? 'nothing' : quoted(canonicalize(value));
}

const WIDER = 'would be wider than what it extends';
const FIXED = 'must stay as it is in what it extends, because neither is known to be tighter';

/** Holds a layer against what it lies on. */
function attenuationFaults(
  document: PolicyDocument,
  layers: { readonly under: Layer; readonly over: Layer },
  options: ResolveOptions,
): readonly PolicyFault[] {
  const parent = finish(layers.under, document, options);
  const child = finish(layers.over, document, options);
  if (!parent.ok || !child.ok) return [...(parent.ok ? [] : parent.error), ...(child.ok ? [] : child.error)];
  return widenings(parent.value, child.value)
    .slice(0, POLICY_LIMITS.faultsMax)
    .map(({ path, parent: was, child: is, fixed }) =>
      faultAt('policy_attenuation', `${fixed === true ? FIXED : WIDER}: from ${said(was)} to ${said(is)}`, {
        ...nearest(document, path),
        hint: '`attenuate_only` or `settings.verification` holds here: a document may only tighten what it extends',
      }),
    );
}

/** Lays the documents on each other, the last ancestor first. Once a document says `attenuate_only`, it holds for it and all its heirs. */
function layAll(chain: readonly PolicyDocument[], options: ResolveOptions): Result<Layer, readonly PolicyFault[]> {
  const [last, ...heirs] = chain.toReversed();
  invariant(last !== undefined, 'a document is its own first ancestor');
  let layer = layOn(last, undefined);
  let tightens = last.content.attenuate_only === true || layer.verification?.enabled === true;
  for (const heir of heirs) {
    const over = layOn(heir, layer);
    if (tightens && heir.content.attenuate_only === false) {
      const message = 'an ancestor says `attenuate_only`, and no heir switches it off';
      return err([faultAt('policy_attenuation', message, placeOf(heir, 'attenuate_only'))]);
    }
    tightens ||= heir.content.attenuate_only === true || over.verification?.enabled === true;
    const faults = tightens ? attenuationFaults(heir, { under: layer, over }, options) : [];
    if (faults.length > 0) return err(faults);
    layer = over;
  }
  return ok(layer);
}

/**
 * Fills in every default, lays the document on what it extends and freezes host sets in.
 * @returns Pure JSON: equal inputs give byte-equal `JCS`.
 */
export function resolvePolicy(document: PolicyDocument, options: ResolveOptions): Result<ResolvedPolicy, readonly PolicyFault[]> {
  const chain = ancestry(document, options);
  if (!chain.ok) return err([chain.error]);
  const layer = layAll(chain.value, options);
  return layer.ok ? finish(layer.value, document, options) : layer;
}

/** Lower-case hex SHA-256 of the RFC 8785 form of a resolved policy: what receipts name. */
export function policyHash(resolved: ResolvedPolicy): string {
  return sha256Hex(canonicalize(asJson(resolved)));
}
