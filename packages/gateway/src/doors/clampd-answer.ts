/** @module Answer -> Clampd wire. Allowed on the wire is what the verdict allows and nothing later took back. */
import { parseJson, stringifyExact } from '@countersign/kernel';
import type { Answer } from '@countersign/pipeline';
import type { Verdict } from '@countersign/protocol';
import { GATEWAY_LIMITS } from '../limits.ts';
import type { Inspection, SeenCounts } from '../response-inspection.ts';
import type { DecisionWire, ScanWire } from './clampd-wire.ts';

/** Only these release an action on this wire: it can carry neither a changed call nor a wait for an approval. */
function releases(verdict: Verdict): boolean {
  return verdict.decision === 'allow' || verdict.decision === 'warn';
}

function actionOf(verdict: Verdict, allowed: boolean): DecisionWire['action'] {
  if (!allowed) return 'block';
  if (verdict.decision === 'warn') return 'flag';
  return verdict.reasons.some(({ code }) => code.startsWith('scope_exemption:')) ? 'exempt' : 'pass';
}

function reasonText(verdict: Verdict): string {
  const told = verdict.reasons.slice(0, 4).map((reason) => `${reason.code}: ${reason.text}`);
  const more = verdict.reasons.length - told.length + verdict.reasonsCut;
  return [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

function denialOf(verdict: Verdict): string {
  const wait = verdict.decision === 'defer' ? 'needs an approval: ' : '';
  const change = verdict.decision === 'modify' ? 'would have to be changed: ' : '';
  const reason = reasonText(verdict);
  return `${wait}${change}${reason === '' ? 'denied' : reason} (risk ${(verdict.risk / 1000).toFixed(2)})`;
}

function rulesOf(answer: Answer): readonly string[] {
  const found = [...(answer.judgement?.findings ?? []), ...(answer.responseJudgement?.findings ?? [])];
  return [...new Set(found.map((finding) => finding.rule))].slice(0, GATEWAY_LIMITS.matchedRulesMax);
}

/** State that spoke: reason codes `state.*`, without the prefix. */
function flagsOf(verdict: Verdict): readonly string[] {
  return verdict.reasons.filter((reason) => reason.code.startsWith('state.')).map((reason) => reason.code.slice('state.'.length));
}

/** Why an allowed call gives no result, or undefined when it does. */
function upstreamProblem(answer: Answer): string | undefined {
  const { response, responseJudgement } = answer;
  if (responseJudgement !== undefined && !releases(responseJudgement.verdict))
    return `the response was blocked: ${reasonText(responseJudgement.verdict)}`;
  if (response === undefined || response.status === 'ok') return undefined;
  if (response.status === 'blocked') return `the upstream was blocked: ${response.reason ?? 'ssrf_blocked'}`;
  if (response.status === 'timeout') return 'upstream_timeout: the tool did not answer in time';
  if (response.status === 'unknown') return 'upstream_unknown: the call went out and nothing is known of what became of it';
  return `upstream_error: the tool failed${response.code === undefined ? '' : ` with status ${response.code}`}`;
}

/** JSON text of what the tool answered: its JSON with every digit, or its text as a JSON string. */
function toolResponseText(answer: Answer): string {
  const body = answer.response?.body;
  if (body === undefined || body.length === 0) return 'null';
  const parsed = parseJson(body);
  if (parsed.ok) return stringifyExact(parsed.value.value, parsed.value.exactNumbers);
  return JSON.stringify(new TextDecoder().decode(body));
}

export interface Shown {
  readonly latencyMs: number;
  /** Makes the answer stricter where the wire promises more than the verdict. */
  readonly inspection?: Inspection;
}

interface Outcome {
  readonly allowed: boolean;
  readonly denial: string | null;
  readonly risk: number;
}

function outcomeOf(answer: Answer, inspection: Inspection | undefined): Outcome {
  const { verdict } = answer;
  const risk = Math.max(verdict.risk, answer.responseJudgement?.verdict.risk ?? 0, inspection?.risk ?? 0) / 1000;
  if (!releases(verdict)) return { allowed: false, denial: denialOf(verdict), risk };
  if (answer.receipt === null) return { allowed: false, denial: 'no receipt, no permission', risk: 1 };
  const problem = upstreamProblem(answer);
  if (problem !== undefined) return { allowed: false, denial: problem, risk };
  if (inspection?.blocked === true) return { allowed: false, denial: inspection.findings.join('; '), risk };
  return { allowed: true, denial: null, risk };
}

function withRules(answer: Answer, inspection: Inspection | undefined): readonly string[] {
  const rules = rulesOf(answer);
  return inspection === undefined ? rules : [...rules, ...inspection.rules];
}

/** The body of `/v1/proxy`, `/v1/verify` and `/v1/inspect`, as JSON text. */
export function decisionText(
  answer: Answer,
  shown: Shown,
): { readonly text: string; readonly allowed: boolean; readonly flagged: boolean } {
  const { verdict } = answer;
  const { allowed, denial, risk } = outcomeOf(answer, shown.inspection);
  const reasoning = [reasonText(verdict), ...(shown.inspection?.findings ?? [])].filter((part) => part !== '').join('; ');
  const wire: Omit<DecisionWire, 'tool_response'> = {
    request_id: answer.requestId,
    receipt_id: answer.receipt?.id ?? null,
    allowed,
    action: actionOf(verdict, allowed),
    risk_score: risk,
    scope_granted: allowed ? (answer.scopeGranted ?? null) : null,
    denial_reason: denial,
    ...(reasoning === '' ? {} : { reasoning }),
    matched_rules: withRules(answer, shown.inspection),
    latency_ms: shown.latencyMs,
    degraded_stages: [],
    session_flags: flagsOf(verdict),
    ...(allowed && answer.scopeToken !== undefined ? { scope_token: answer.scopeToken } : {}),
  };
  const toolResponse = allowed ? toolResponseText(answer) : 'null';
  // Appended as text: through JSON.stringify the tool's own digits would be lost.
  const text = `${JSON.stringify(wire).slice(0, -1)},"tool_response":${toolResponse}}`;
  return { text, allowed, flagged: wire.action === 'flag' };
}

function counted(counts: Readonly<Record<string, number>>): readonly (readonly [string, number])[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

/** What was counted in the judged text; nothing where it was not judged. */
export function countsOf(answer: Answer): SeenCounts {
  return answer.judgement?.counts ?? { pii: {}, secrets: {} };
}

/** The body of `/v1/scan-input` and `/v1/scan-output`. */
export function scanWire(answer: Answer, shown: Shown): ScanWire {
  const { allowed, denial, risk } = outcomeOf(answer, shown.inspection);
  const counts = countsOf(answer);
  return {
    request_id: answer.requestId,
    receipt_id: answer.receipt?.id ?? null,
    allowed,
    risk_score: risk,
    denial_reason: denial,
    matched_rules: withRules(answer, shown.inspection),
    latency_ms: shown.latencyMs,
    degraded_stages: [],
    session_flags: flagsOf(answer.verdict),
    pii_found: counted(counts.pii).map(([type, count]) => ({ pii_type: type, count })),
    secrets_found: counted(counts.secrets).map(([type, count]) => ({ secret_type: type, count })),
  };
}
