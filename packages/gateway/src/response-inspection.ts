/**
 * @module What the Clampd wire promises of `/v1/inspect` and `/v1/scan-output` beyond the verdict: a score for what a text gives away.
 * It can only make an answer stricter. Pure, and linear in the text: fixed literals and one lower-casing.
 */
import { GATEWAY_LIMITS } from './limits.ts';

/** Counts of what was seen, by type; as the judge reports them. */
export interface SeenCounts {
  readonly pii: Readonly<Record<string, number>>;
  readonly secrets: Readonly<Record<string, number>>;
}

export interface Inspection {
  /** Thousandths. */
  readonly risk: number;
  readonly blocked: boolean;
  /** What was found, in words fit for a client. */
  readonly findings: readonly string[];
  readonly rules: readonly string[];
}

const BLOCK_AT = 700;
const KEYWORDS: readonly string[] = [
  'api_key',
  'apikey',
  'api-key',
  'password',
  'passwd',
  'secret',
  'token',
  'access_token',
  'refresh_token',
  'private_key',
  'private-key',
  'client_secret',
  'client-secret',
];
/** Types whose mere presence in a response blocks it. */
const BLOCKING_PII: ReadonlySet<string> = new Set(['ssn', 'credit_card', 'mrn', 'health_plan_id', 'nhs_number', 'biometric']);
const VERBS = ['updated', 'deleted', 'inserted', 'affected'] as const;
const MUTATIONS: readonly string[] = [
  ...VERBS.flatMap((verb) => [`rows ${verb}`, `row ${verb}`, `row(s) ${verb}`]),
  'insert into',
  'table dropped',
  'table created',
  'table altered',
];

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

const LOOKS: ReadonlySet<string> = new Set(['query', 'read']);
const CHANGES: ReadonlySet<string> = new Set(['write', 'delete', 'mutate', 'destructive', '*']);

/** True for scopes that only let one look. */
export function isReadScope(scope: string): boolean {
  const parts = scope.split(/[ :]/);
  return parts.some((part) => LOOKS.has(part)) && !parts.some((part) => CHANGES.has(part));
}

/** `/v1/inspect`: a tool's response, with the scope of the token it was called with, where one was given and held. */
export function inspectResponse(text: string, counts: SeenCounts, scope: string | undefined): Inspection {
  const lower = text.toLowerCase();
  const rules = KEYWORDS.filter((keyword) => lower.includes(keyword));
  const findings: string[] = [];
  let risk = 0;
  let blocked = false;
  if (total(counts.pii) > 0) {
    risk += 400;
    findings.push(`pii: ${Object.keys(counts.pii).sort().join(', ')}`);
  }
  if (Object.keys(counts.pii).some((type) => BLOCKING_PII.has(type))) {
    blocked = true;
    risk = Math.max(risk, BLOCK_AT);
  }
  if (Buffer.byteLength(text) > GATEWAY_LIMITS.largeResponseBytes) {
    risk += 200;
    findings.push('large response');
  }
  if (rules.length > 0) {
    risk += 300;
    findings.push(`sensitive words: ${rules.join(', ')}`);
  }
  if (scope !== undefined && isReadScope(scope) && MUTATIONS.some((phrase) => lower.includes(phrase))) {
    risk = Math.max(risk, 900);
    blocked = true;
    findings.push(`scope_violation: the response tells of a change under the scope \`${scope}\``);
  }
  risk = Math.min(risk, 1000);
  return { risk, blocked: blocked || risk >= BLOCK_AT, findings, rules };
}

/** `/v1/scan-output`: what a model is about to say. */
export function inspectOutput(counts: SeenCounts, judgedRisk: number): Inspection {
  const findings: string[] = [];
  if (judgedRisk >= BLOCK_AT) findings.push(`Rule risk ${(judgedRisk / 1000).toFixed(2)}`);
  let risk = 0;
  if (total(counts.pii) > 0) {
    risk = 850;
    findings.push('PII detected in output');
  }
  if (total(counts.secrets) > 0) {
    risk = 950;
    findings.push('Secrets detected in output');
  }
  return { risk, blocked: risk >= BLOCK_AT, findings, rules: [] };
}
