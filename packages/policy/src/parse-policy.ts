/**
 * @module Policy text to a document: every field is known, every pattern compiles, and every fault is reported at once with
 * its path, line and column. Format: versions 1.1.0 to 1.5.0 of the Clawdstrike policy document; see `spec/policy.md`.
 */
import { err, getOwn, isJsonObject, ok, type JsonObject, type JsonValue, type Result } from '@countersign/kernel';
import { complain, readField, type Check } from './check-fields.ts';
import type { PolicyContent, PolicyDocument } from './content.ts';
import { dotted, itemsOf, member } from './document-path.ts';
import { faultAt, quoted, type PolicyFault } from './faults.ts';
import { DOCUMENT, POLICY_VERSIONS } from './fields.ts';
import { isHushSpec, translateHushSpec } from './hushspec.ts';
import { POLICY_LIMITS } from './limits.ts';
import { readYaml } from './read-yaml.ts';

/** True where a value was found wrong by itself: what it says beside others is no further fault. */
function isFaulty(check: Check, path: string): boolean {
  return check.faults.some((fault) => fault.path === path);
}

function checkVersion(check: Check, root: JsonObject): void {
  const version = getOwn(root, 'version');
  if (typeof version === 'string' && !POLICY_VERSIONS.includes(version) && !isFaulty(check, 'version')) {
    complain(check, 'version', {
      code: 'policy_version',
      message: `version ${quoted(version)} is not one of ${POLICY_VERSIONS.join(', ')}`,
    });
  }
  for (const { path, since } of VERSION_GATES) {
    const [first = '', second] = path.split('.');
    const section = getOwn(root, first);
    const isThere = isJsonObject(second === undefined ? section : member(section, second));
    if (isThere && typeof version === 'string' && POLICY_VERSIONS.includes(version) && version < since)
      complain(check, path, { code: 'policy_version_gate', message: `needs version ${since} or later` });
  }
}

/** Sections that came with a version. All versions have one digit a part, so they compare as texts. */
const VERSION_GATES: readonly { readonly path: string; readonly since: string }[] = [
  { path: 'guards.path_allowlist', since: '1.2.0' },
  { path: 'posture', since: '1.2.0' },
  { path: 'origins', since: '1.4.0' },
  { path: 'broker', since: '1.5.0' },
];

function checkThresholds(check: Check, root: JsonObject): void {
  const settings = getOwn(root, 'settings');
  const places: [string, JsonValue | undefined][] = [['settings.thresholds', member(settings, 'thresholds')]];
  for (const [i, item] of itemsOf(member(settings, 'tool_thresholds')).entries())
    places.push([dotted('settings.tool_thresholds', i), item]);
  for (const [path, value] of places) {
    const flag = member(value, 'flag');
    const block = member(value, 'block');
    if (isFaulty(check, `${path}.flag`) || isFaulty(check, `${path}.block`)) continue;
    if (typeof flag === 'number' && typeof block === 'number' && flag > block) {
      complain(check, path, { code: 'policy_range', message: '`flag` must not be above `block`' });
    }
  }
}

function checkDocument(check: Check, root: JsonObject): PolicyContent {
  const content = readField(check, DOCUMENT, { path: '', value: root });
  checkVersion(check, root);
  checkThresholds(check, root);
  // Checked field by field against DOCUMENT, which PolicyContent mirrors.
  return content as unknown as PolicyContent;
}

/** The same model from the other format: translated, then checked like any policy. */
function parseHushSpec(check: Check, root: JsonObject): Result<PolicyDocument, readonly PolicyFault[]> {
  const hush = translateHushSpec(check, root);
  const inner: Check = { source: check.source, positions: hush.positions, faults: [] };
  const content = checkDocument(inner, hush.value);
  const faults = [...check.faults, ...inner.faults.map((fault) => hush.relocate(fault))].slice(0, POLICY_LIMITS.faultsMax);
  return faults.length > 0 ? err(faults) : ok({ source: check.source, content, positions: hush.positions });
}

/**
 * Reads one policy document, in the policy format or in HushSpec 0.1.
 * @param source What it is called in faults: a file name, a ruleset name.
 * @returns The document, or every fault of it (at most 100).
 */
export function parsePolicy(yamlText: string, source: string): Result<PolicyDocument, readonly PolicyFault[]> {
  const { reading, faults } = readYaml(yamlText, source);
  if (faults.length > 0) return err(faults);
  const check: Check = { source, positions: reading.positions, faults: [] };
  if (!isJsonObject(reading.value)) {
    return err([faultAt('policy_type', 'a policy is a mapping with `version`, `name`, `guards` and `settings`', { source })]);
  }
  if (isHushSpec(reading.value)) return parseHushSpec(check, reading.value);
  const content = checkDocument(check, reading.value);
  return check.faults.length > 0 ? err(check.faults) : ok({ source, content, positions: reading.positions });
}
