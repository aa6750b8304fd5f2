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

/** What a missed attack is filed under: its class in the words of its collectors, or that there is none. */
export function missCause(row: CorpusRow): string {
  const classes = (CLASS_FIELDS[row.family] ?? []).flatMap((field) => classOf(row, field) ?? []);
  const named = classes.length === 0 ? 'no class given' : classes.join(' / ');
  return row.family === 'shell_atomic' ? `${platformOf(row)} ${named}` : named;
}
