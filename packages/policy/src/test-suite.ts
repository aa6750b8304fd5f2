/**
 * @module A suite of policy tests: events, and what is expected of each. Read as strictly as a policy: a field nobody knows is a fault, because a
 * misspelled expectation would pass whatever happens (POL-275).
 */
import { err, getOwn, isJsonObject, type JsonObject, type JsonValue, ok, type Result } from '@countersign/kernel';
import { dotted, itemsOf } from './document-path.ts';
import { faultAt, type PolicyFault, quoted, suggest } from './faults.ts';
import { POLICY_LIMITS } from './limits.ts';
import { type PolicyEvent, readPolicyEvent } from './policy-event.ts';
import { BUDGETS, TRIGGERS } from './posture.ts';
import { readYaml, type YamlReading } from './read-yaml.ts';

export interface TestExpectation {
  readonly allowed?: boolean;
  readonly denied?: boolean;
  readonly warn?: boolean;
  /** The guard, or the code of another reason, that decided. */
  readonly guard?: string;
  readonly severity?: string;
  readonly reason_contains?: string;
  readonly message_contains?: string;
  /** Where the session stands after it. */
  readonly posture_state?: string;
  /** A transition that it brought about; what is left out is not looked at. */
  readonly posture_transition?: { readonly from?: string; readonly to?: string; readonly trigger?: string };
  /** What is spent of budgets after it, by name. */
  readonly posture_budgets?: Readonly<Record<string, number>>;
}

export interface PolicyTest {
  readonly suite: string;
  readonly name: string;
  readonly event: PolicyEvent;
  readonly expect: TestExpectation;
}

export interface TestSuite {
  readonly name: string;
  /** A ruleset, or a file beside the suite. */
  readonly policy: string;
  readonly tests: readonly PolicyTest[];
}

const FLAGS = ['allowed', 'denied', 'warn'] as const;
const TEXTS = ['guard', 'severity', 'reason_contains', 'message_contains', 'posture_state'] as const;
const POSTURE = ['posture_transition', 'posture_budgets'] as const;
const TRANSITION = ['from', 'to', 'trigger'] as const;
const SEVERITIES: ReadonlySet<string> = new Set(['info', 'low', 'warning', 'medium', 'error', 'high', 'critical']);

/** Reads with the place of each fault. */
class Reader {
  readonly faults: PolicyFault[] = [];
  readonly #reading: YamlReading;
  readonly #source: string;

  constructor(reading: YamlReading, source: string) {
    this.#reading = reading;
    this.#source = source;
  }

  fault(code: PolicyFault['code'], path: string, what: { readonly message: string; readonly hint?: string | undefined }): void {
    if (this.faults.length >= POLICY_LIMITS.faultsMax) return;
    const position = this.#reading.positions.get(path);
    this.faults.push(faultAt(code, what.message, { path, source: this.#source, position, hint: what.hint }));
  }

  object(value: JsonValue | undefined, path: string, known: readonly string[]): JsonObject {
    if (!isJsonObject(value)) {
      this.fault('policy_type', path, { message: `must be a mapping with ${known.join(', ')}` });
      return {};
    }
    for (const key of Object.keys(value).filter((one) => !known.includes(one))) {
      const meant = suggest(key, known);
      const hint = meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${quoted(meant)}?`;
      this.fault('policy_unknown_field', dotted(path, key), { message: 'nobody knows this field', hint });
    }
    return value;
  }

  text(object: JsonObject, key: string, path: string): string {
    const value = getOwn(object, key);
    if (typeof value === 'string' && value !== '') return value;
    this.fault('policy_required', path, { message: `${quoted(key)} is missing, or is no text` });
    return '';
  }

  list(object: JsonObject, key: string, path: string): readonly JsonValue[] {
    const value = getOwn(object, key);
    if (!Array.isArray(value) || value.length === 0)
      this.fault('policy_required', path, { message: `${quoted(key)} must be a list that holds something` });
    return itemsOf(value);
  }
}

function readTransition(reader: Reader, value: JsonValue, path: string): void {
  const written = reader.object(value, path, TRANSITION);
  if (Object.keys(written).length === 0) reader.fault('policy_required', path, { message: `must say one of ${TRANSITION.join(', ')}` });
  for (const key of TRANSITION) {
    const text = getOwn(written, key);
    if (text !== undefined && typeof text !== 'string') reader.fault('policy_type', dotted(path, key), { message: 'must be text' });
  }
  const trigger = getOwn(written, 'trigger');
  if (typeof trigger === 'string' && !TRIGGERS.some((one) => one === trigger))
    reader.fault('policy_enum', dotted(path, 'trigger'), { message: `must be one of ${TRIGGERS.join(', ')}` });
}

function readBudgets(reader: Reader, value: JsonValue, path: string): void {
  const written = reader.object(value, path, BUDGETS);
  if (Object.keys(written).length === 0) reader.fault('policy_required', path, { message: `must name one of ${BUDGETS.join(', ')}` });
  for (const key of Object.keys(written)) {
    const used = getOwn(written, key);
    if (typeof used !== 'number' || !Number.isInteger(used) || used < 0)
      reader.fault('policy_type', dotted(path, key), { message: 'must be a whole number: how much is spent' });
  }
}

function readExpectation(reader: Reader, value: JsonValue | undefined, path: string): TestExpectation {
  const written = reader.object(value, path, [...FLAGS, ...TEXTS, ...POSTURE]);
  if (Object.keys(written).length === 0) reader.fault('policy_required', path, { message: 'a test that expects nothing cannot fail' });
  for (const key of FLAGS) {
    const flag = getOwn(written, key);
    if (flag !== undefined && typeof flag !== 'boolean')
      reader.fault('policy_type', dotted(path, key), { message: 'must be true or false' });
  }
  for (const key of TEXTS) {
    const text = getOwn(written, key);
    if (text !== undefined && typeof text !== 'string') reader.fault('policy_type', dotted(path, key), { message: 'must be text' });
  }
  const [transition, budgets] = [getOwn(written, 'posture_transition'), getOwn(written, 'posture_budgets')];
  if (transition !== undefined) readTransition(reader, transition, dotted(path, 'posture_transition'));
  if (budgets !== undefined) readBudgets(reader, budgets, dotted(path, 'posture_budgets'));
  const severity = getOwn(written, 'severity');
  if (typeof severity === 'string' && !SEVERITIES.has(severity))
    reader.fault('policy_enum', dotted(path, 'severity'), { message: `must be one of ${[...SEVERITIES].join(', ')}` });
  // Checked key by key; where something is wrong, nothing of it is used.
  return written;
}

function readTest(reader: Reader, suite: string, at: { readonly value: JsonValue; readonly path: string }): PolicyTest | undefined {
  const test = reader.object(at.value, at.path, ['name', 'description', 'input', 'expect']);
  const name = reader.text(test, 'name', at.path);
  const expect = readExpectation(reader, getOwn(test, 'expect'), dotted(at.path, 'expect'));
  const input = getOwn(test, 'input');
  const event = readPolicyEvent(isJsonObject(input) ? { eventId: name, ...input } : (input ?? null));
  if (event.ok) return { suite, name, event: event.value, expect };
  const { message, path = '' } = event.error;
  reader.fault('policy_type', path === '' ? dotted(at.path, 'input') : `${at.path}.input.${path}`, { message });
  return undefined;
}

function readTests(reader: Reader, root: JsonObject): readonly PolicyTest[] {
  const tests: PolicyTest[] = [];
  const names = new Set<string>();
  let count = 0;
  for (const [i, value] of reader.list(root, 'suites', '').entries()) {
    const path = dotted('suites', i);
    const suite = reader.object(value, path, ['name', 'description', 'tests']);
    const name = reader.text(suite, 'name', path);
    for (const [j, item] of reader.list(suite, 'tests', path).entries()) {
      count += 1;
      if (count > POLICY_LIMITS.suiteTestsMax) break;
      const test = readTest(reader, name, { value: item, path: dotted(`${path}.tests`, j) });
      if (test === undefined) continue;
      const full = `${name} / ${test.name}`;
      if (names.has(full))
        reader.fault('policy_duplicate_entry', `${dotted(`${path}.tests`, j)}.name`, { message: 'another test has this name' });
      names.add(full);
      tests.push(test);
    }
  }
  if (count > POLICY_LIMITS.suiteTestsMax)
    reader.fault('policy_range', 'suites', { message: `more than ${String(POLICY_LIMITS.suiteTestsMax)} tests in one document` });
  return tests;
}

/** Reads a suite, or gives every fault of it with its place. */
export function parseTestSuite(text: string, source: string): Result<TestSuite, readonly PolicyFault[]> {
  const { reading, faults } = readYaml(text, source);
  if (faults.length > 0) return err(faults);
  const reader = new Reader(reading, source);
  const root = reader.object(reading.value, '', ['name', 'description', 'policy', 'suites']);
  const suite = { name: reader.text(root, 'name', ''), policy: reader.text(root, 'policy', ''), tests: readTests(reader, root) };
  return reader.faults.length > 0 ? err(reader.faults) : ok(suite);
}
