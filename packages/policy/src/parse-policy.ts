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
import { readYaml } from './read-yaml.ts';

function checkVersion(check: Check, root: JsonObject): void {
  const version = getOwn(root, 'version');
  if (typeof version === 'string' && !POLICY_VERSIONS.includes(version)) {
    complain(check, 'version', {
      code: 'policy_version',
      message: `version ${quoted(version)} is not one of ${POLICY_VERSIONS.join(', ')}`,
    });
  }
  if (version === '1.1.0' && isJsonObject(member(getOwn(root, 'guards'), 'path_allowlist'))) {
    complain(check, 'guards.path_allowlist', { code: 'policy_version_gate', message: 'needs version 1.2.0 or later' });
  }
}

function checkPosture(check: Check, root: JsonObject): void {
  if (getOwn(root, 'version') === '1.1.0' && isJsonObject(getOwn(root, 'posture')))
    complain(check, 'posture', { code: 'policy_version_gate', message: 'needs version 1.2.0 or later' });
}

function checkThresholds(check: Check, root: JsonObject): void {
  const settings = getOwn(root, 'settings');
  const places: [string, JsonValue | undefined][] = [['settings.thresholds', member(settings, 'thresholds')]];
  for (const [i, item] of itemsOf(member(settings, 'tool_thresholds')).entries())
    places.push([dotted('settings.tool_thresholds', i), item]);
  for (const [path, value] of places) {
    const flag = member(value, 'flag');
    const block = member(value, 'block');
    if (typeof flag === 'number' && typeof block === 'number' && flag > block) {
      complain(check, path, { code: 'policy_range', message: '`flag` must not be above `block`' });
    }
  }
}

/**
 * Reads one policy document.
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
  const content = readField(check, DOCUMENT, { path: '', value: reading.value });
  checkVersion(check, reading.value);
  checkThresholds(check, reading.value);
  checkPosture(check, reading.value);
  if (check.faults.length > 0) return err(check.faults);
  // Checked field by field against DOCUMENT, which PolicyContent mirrors.
  return ok({ source, content: content as unknown as PolicyContent, positions: reading.positions });
}
