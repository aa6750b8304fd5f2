/**
 * @module What is wrong with a policy, as data a person can act on: code, path, line and column, what to do.
 */
import type { Fault } from '@countersign/kernel';

/** Add-only. */
export type PolicyFaultCode =
  | 'policy_too_large'
  | 'policy_yaml'
  | 'policy_too_deep'
  | 'policy_too_many_nodes'
  | 'policy_unknown_field'
  | 'policy_unsupported_field'
  | 'policy_duplicate_entry'
  | 'policy_type'
  | 'policy_range'
  | 'policy_enum'
  | 'policy_version'
  | 'policy_version_gate'
  | 'policy_required'
  | 'policy_glob'
  | 'policy_host_pattern'
  | 'policy_regex'
  | 'policy_regex_unsafe'
  | 'policy_placeholder'
  | 'policy_extends'
  | 'policy_extends_cycle'
  | 'policy_extends_depth'
  | 'policy_host_set'
  | 'policy_rule_id'
  | 'policy_duration'
  | 'policy_posture'
  | 'policy_cedar'
  | 'policy_scope'
  | 'policy_label'
  | 'policy_extends_pin'
  | 'policy_attenuation'
  | 'policy_guard_package'
  | 'policy_secret'
  | 'policy_pattern_db'
  | 'policy_pattern_db_checksum'
  | 'policy_pattern_db_signature'
  | 'policy_pattern_db_trust'
  | 'policy_pattern_db_manifest';

/** Where something stands in its document. */
export interface Position {
  /** One-based. */
  readonly line: number;
  /** One-based, in UTF-16 code units. */
  readonly column: number;
  /** Zero-based half-open offsets into the document. */
  readonly start: number;
  readonly end: number;
}

/** `path` is written as people write it: `guards.secret_leak.patterns[0].pattern`. */
export interface PolicyFault extends Fault<PolicyFaultCode> {
  readonly source?: string;
  readonly line?: number;
  readonly column?: number;
}

export interface FaultPlace {
  readonly path?: string;
  readonly source?: string;
  readonly position?: Position | undefined;
  readonly hint?: string | undefined;
}

/** One fault with its place. */
export function faultAt(code: PolicyFaultCode, message: string, place: FaultPlace): PolicyFault {
  const { path, source, position, hint } = place;
  return {
    code,
    message,
    ...(path !== undefined && path !== '' && { path }),
    ...(source !== undefined && source !== '' && { source }),
    ...(position !== undefined && { line: position.line, column: position.column, span: { start: position.start, end: position.end } }),
    ...(hint !== undefined && { hint }),
  };
}

function formatFault(fault: PolicyFault): string {
  const line = fault.line === undefined ? '' : `:${String(fault.line)}:${String(fault.column ?? 1)}`;
  const place = `${fault.source ?? 'policy'}${line}`;
  const path = fault.path === undefined ? '' : ` ${fault.path}:`;
  const hint = fault.hint === undefined ? '' : `\n    ${fault.hint}`;
  return `${place}:${path} ${fault.message} [${fault.code}]${hint}`;
}

/** All faults, one a line, with the hint indented below. */
export function formatFaults(faults: readonly PolicyFault[]): string {
  return faults.map(formatFault).join('\n');
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(change, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** The known word that was probably meant, or undefined. */
export function suggest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const lower = word.toLowerCase().replaceAll('-', '_');
  let best: string | undefined;
  let bestDistance = word.length < 12 ? 3 : 4;
  for (const candidate of known) {
    const distance = editDistance(lower, candidate.toLowerCase().replaceAll('-', '_'));
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** A word of the input, short enough to print. */
export function quoted(text: string): string {
  return `\`${text.length > 80 ? `${text.slice(0, 77)}...` : text}\``;
}
