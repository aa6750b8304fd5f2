/**
 * @module A policy document moved to another version of the format, or out of an older form: only the words that must change are changed, every other
 * byte stays. What the wanted version cannot say is a fault, and nothing is left out (POL-284).
 */
import { err, getOwn, isJsonObject, type JsonObject, type JsonValue, ok, type Result } from '@countersign/kernel';
import { dotted, itemsOf, member } from './document-path.ts';
import { faultAt, type PolicyFault, quoted } from './faults.ts';
import { POLICY_VERSIONS } from './fields.ts';
import { applyEdits, type LintEdit } from './lint/lint-report.ts';
import { parsePolicy } from './parse-policy.ts';
import { readYaml, type YamlReading } from './read-yaml.ts';

export interface Migration {
  readonly text: string;
  /** In the order of the document; empty: nothing had to change. */
  readonly changes: readonly { readonly path: string; readonly from: string; readonly to: string }[];
}

/** Versions before there were any, as they were written. */
const BEFORE: ReadonlySet<string> = new Set(['1', '1.0', '1.0.0']);
const ACTIONS: ReadonlyMap<string, string> = new Map([['deny', 'block']]);
const SEVERITIES: ReadonlyMap<string, string> = new Map([
  ['low', 'info'],
  ['medium', 'warning'],
  ['high', 'error'],
]);

interface Word {
  readonly path: string;
  readonly value: JsonValue | undefined;
  readonly words: ReadonlyMap<string, string>;
}

/** Places where a word has an older spelling. */
function wordsOf(guards: JsonValue | undefined): readonly Word[] {
  const at = (guard: string, field: string, words: Word['words']): Word => {
    return { path: `guards.${guard}.${field}`, value: member(member(guards, guard), field), words };
  };
  const patterns = ['patterns', 'additional_patterns'].flatMap((list) =>
    itemsOf(member(member(guards, 'secret_leak'), list)).map((item, i): Word => {
      return { path: `${dotted(`guards.secret_leak.${list}`, i)}.severity`, value: member(item, 'severity'), words: SEVERITIES };
    }),
  );
  return [
    at('egress_allowlist', 'default_action', ACTIONS),
    at('mcp_tool', 'default_action', ACTIONS),
    at('secret_leak', 'severity_threshold', SEVERITIES),
    ...patterns,
  ];
}

const SCALAR = /(\s*:\s*)("[^"\n]*"|'[^'\n]*'|[^\s,}#]+)/y;

/** Puts `to` in the place of a plain or quoted scalar behind its key; undefined where it is written otherwise (an alias, a block). */
function scalarEdit(text: string, reading: YamlReading, change: { readonly path: string; readonly to: string }): LintEdit | undefined {
  const key = reading.positions.get(change.path);
  if (key === undefined) return undefined;
  SCALAR.lastIndex = key.end;
  const found = SCALAR.exec(text);
  const [, colon = '', scalar = ''] = found ?? [];
  if (found === null || /^[*&|>!]/.test(scalar)) return undefined;
  const start = key.end + colon.length;
  return { start, end: start + scalar.length, text: change.to };
}

/** As it is written, nearly: a version may be a number. */
function wordOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

interface Draft {
  readonly path: string;
  readonly from: string;
  readonly to: string;
  readonly edit: LintEdit | undefined;
}

function versionDraft(
  text: string,
  reading: YamlReading,
  { root, to }: { readonly root: JsonObject; readonly to: string },
): readonly Draft[] {
  const version = getOwn(root, 'version');
  if (version === to) return [];
  const put = `"${to}"`;
  if (version !== undefined)
    return [{ path: 'version', from: wordOf(version), to, edit: scalarEdit(text, reading, { path: 'version', to: put }) }];
  const first = Math.min(...Object.keys(root).map((key) => reading.positions.get(dotted('', key))?.start ?? Number.POSITIVE_INFINITY));
  const plain = Number.isFinite(first) && (first === 0 || text[first - 1] === '\n');
  return [{ path: 'version', from: '', to, edit: plain ? { start: first, end: first, text: `version: ${put}\n` } : undefined }];
}

function versionFault(root: JsonObject, to: string, source: string): PolicyFault | undefined {
  const version = getOwn(root, 'version');
  const known = version === undefined || POLICY_VERSIONS.includes(wordOf(version)) || BEFORE.has(wordOf(version));
  const wrong = POLICY_VERSIONS.includes(to) ? (known ? undefined : wordOf(version)) : to;
  if (wrong === undefined) return undefined;
  return faultAt('policy_version', `version ${quoted(wrong)} is not one of ${POLICY_VERSIONS.join(', ')}`, { path: 'version', source });
}

/** Moves a document to a version. @param to One of `POLICY_VERSIONS`. */
export function migratePolicy(text: string, source: string, to: string): Result<Migration, readonly PolicyFault[]> {
  const { reading, faults } = readYaml(text, source);
  if (faults.length > 0) return err(faults);
  const root = reading.value;
  if (!isJsonObject(root))
    return err([faultAt('policy_type', 'a policy is a mapping with `version`, `name`, `guards` and `settings`', { source })]);
  const wrong = versionFault(root, to, source);
  if (wrong !== undefined) return err([wrong]);
  const words = wordsOf(getOwn(root, 'guards')).flatMap(({ path, value, words: table }): readonly Draft[] => {
    const meaning = typeof value === 'string' ? table.get(value) : undefined;
    if (typeof value !== 'string' || meaning === undefined) return [];
    return [{ path, from: value, to: meaning, edit: scalarEdit(text, reading, { path, to: meaning }) }];
  });
  const drafts = [...versionDraft(text, reading, { root, to }), ...words];
  const stuck = drafts.filter(({ edit }) => edit === undefined);
  if (stuck.length > 0)
    return err(
      stuck.map(({ path }) =>
        faultAt('policy_yaml', 'is written in a way that is not rewritten: write it as a plain word', { path, source }),
      ),
    );
  const moved = applyEdits(
    text,
    drafts.flatMap(({ edit }) => (edit === undefined ? [] : [edit])),
  );
  const parsed = parsePolicy(moved, source);
  return parsed.ok ? ok({ text: moved, changes: drafts.map(({ path, from, to: put }) => ({ path, from, to: put })) }) : parsed;
}
