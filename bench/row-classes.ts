/**
 * @module What the rows of a family say of themselves, as classes: the parts a family is reported in, and what a missed attack is filed
 * under. Only fields that hold a class are read, never one that holds words of the row.
 */
import { getOwn } from '@countersign/kernel';
import type { CorpusRow } from './corpora.ts';

/** Longest class name that is printed. */
export const CLASS_CHARS_MAX = 48;

/** Fields with the class of an attack, most telling first; more of them are joined. */
const CLASS_FIELDS: Readonly<Record<string, readonly string[]>> = {
  agentdojo_cases: ['suite', 'injection_task'],
  agentdojo_tool_call: ['suite'],
  agentdojo_tool_response: ['attack'],
  agt_pi_smoke: ['attack_class', 'bypass'],
  appsec_misc: ['rule', 'type'],
  asb_opi: ['attack'],
  bipia: ['category'],
  cmdi_param: ['rule', 'type'],
  cyberseceval_pi: ['variant'],
  dc_exfil: ['categories'],
  dc_injection: ['categories'],
  dc_pii: ['categories'],
  dc_regex_curated: ['group'],
  dc_shell_semantics: ['rule'],
  dc_tool_injection: ['categories'],
  harmful_request: ['attack_type'],
  path_traversal: ['rule', 'type'],
  pi_direct: ['group'],
  pii_presidio_tests: ['entity'],
  secrets_detectsecrets: ['group'],
  secrets_fakeleaks: ['group'],
  secrets_gitleaks: ['rule'],
  shell_atomic: ['technique'],
  sql_statement: ['heading'],
  sqli_param: ['rule', 'paranoia'],
  ssrf_url: ['heading', 'rule'],
  xss_html: ['rule', 'type'],
};

/** Fields whose values are parts of the family with a rate of their own. */
const SPLIT_FIELDS: Readonly<Record<string, readonly string[]>> = {
  agentdojo_tool_response: ['attack'],
  asb_opi: ['attack'],
  cyberseceval_pi: ['injection_type'],
  pi_overdefense: ['subset'],
};

/** Fields that are true where a row has that shape. */
const SHAPE_FIELDS: readonly string[] = ['traversal', 'sensitive', 'public_key', 'core'];

const UNIX: ReadonlySet<string> = new Set(['linux', 'macos']);

function classOf(row: CorpusRow, field: string): string | undefined {
  const value = getOwn(row.meta, field);
  const text = Array.isArray(value) ? value.filter((one) => typeof one === 'string').join(' + ') : value;
  return typeof text === 'string' && text !== '' ? text.slice(0, CLASS_CHARS_MAX) : undefined;
}

/** Where the command of a row runs: Unix machines, Windows machines, or only in somebody's cloud. */
function platformOf(row: CorpusRow): string {
  const value = getOwn(row.meta, 'platform');
  const platforms = Array.isArray(value) ? value : [];
  if (platforms.some((platform) => typeof platform === 'string' && UNIX.has(platform))) return 'Unix';
  return platforms.includes('windows') ? 'Windows' : 'cloud';
}

/** Names of the parts of its family a row belongs to. */
export function splitsOf(row: CorpusRow): readonly string[] {
  if (row.family === 'shell_atomic') return [platformOf(row)];
  const splits = (SPLIT_FIELDS[row.family] ?? []).flatMap((field) => classOf(row, field) ?? []);
  return row.family === 'cyberseceval_pi' && getOwn(row.meta, 'weak') !== true ? ['strong', ...splits] : splits;
}

function classesOf(row: CorpusRow): readonly string[] {
  const classes = (CLASS_FIELDS[row.family] ?? []).flatMap((field) => classOf(row, field) ?? []);
  if (classes.length > 0) return classes;
  const shape = SHAPE_FIELDS.filter((field) => getOwn(row.meta, field) === true);
  return shape.length > 0 ? shape : [classOf(row, 'location') ?? `no class given (${row.kind})`];
}

/**
 * What a missed attack is filed under: its class in the words of its collectors, else its kind; and whether it was warned of at least,
 * which means that it was found and weighed too light.
 */
export function missCause(row: CorpusRow, decision: string | undefined): string {
  const named = `${classesOf(row).join(' / ')}${decision === 'warn' ? ', warned of' : ''}`;
  return row.family === 'shell_atomic' ? `${platformOf(row)} ${named}` : named;
}
