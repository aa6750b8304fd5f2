/**
 * @module Fits a verdict into an entry. A verdict within the limit passes unchanged, so that replay can compare bytes; a larger one
 * loses evidence, then reasons, from the end, always in the same way: replay fits what it judged before it compares.
 */
import { utf8Length } from '@countersign/kernel';
import { PROTOCOL_LIMITS, type OutcomeBody, type Reason, type Span, type Verdict } from '@countersign/protocol';
import { jcs } from './jcs.ts';
import { RECEIPT_LIMITS } from './limits.ts';
import { plainText } from './logged-name.ts';

function fitSpan({ path, start, end }: Span): Span {
  return { path: plainText(path, RECEIPT_LIMITS.pathCharsMax), start, end };
}

function fitReason(reason: Reason, spansMax: number): Reason {
  const { code, text, severity, score, fact, evidence, layers } = reason;
  return {
    code: plainText(code, RECEIPT_LIMITS.codeCharsMax),
    text: plainText(text, PROTOCOL_LIMITS.reasonTextMax),
    severity,
    score,
    ...(fact === undefined ? {} : { fact: plainText(fact, RECEIPT_LIMITS.factCharsMax) }),
    evidence: evidence.slice(0, spansMax).map(fitSpan),
    ...(layers === undefined
      ? {}
      : { layers: layers.slice(0, RECEIPT_LIMITS.layersMax).map((layer) => plainText(layer, RECEIPT_LIMITS.factCharsMax)) }),
  };
}

function withReasons(verdict: Verdict, reasons: readonly Reason[]): Verdict {
  const obligations = verdict.obligations
    .slice(0, RECEIPT_LIMITS.obligationsMax)
    .map((name) => plainText(name, RECEIPT_LIMITS.factCharsMax));
  return { ...verdict, reasons, reasonsCut: verdict.reasonsCut + verdict.reasons.length - reasons.length, obligations };
}

/** Most bytes that one UTF-16 unit takes in canonical text: `\u0001`. */
const BYTES_PER_UNIT = 6;
/** More than the names, numbers and marks of a verdict, a reason and a span take. */
const FRAME_BYTES = { verdict: 320, reason: 160, span: 80, text: 3 } as const;

function spanBytesMax(evidence: readonly Span[]): number {
  let bytes = 0;
  for (const { path } of evidence) bytes += FRAME_BYTES.span + BYTES_PER_UNIT * path.length;
  return bytes;
}

function textBytesMax(texts: readonly string[]): number {
  let bytes = 0;
  for (const text of texts) bytes += FRAME_BYTES.text + BYTES_PER_UNIT * text.length;
  return bytes;
}

/** No less than the bytes of the verdict's JCS: spares the ordinary verdict from being written twice. */
export function verdictBytesBound(verdict: Verdict): number {
  let bytes = FRAME_BYTES.verdict + textBytesMax(verdict.obligations);
  for (const { code, text, fact = '', evidence, layers = [] } of verdict.reasons) {
    bytes +=
      FRAME_BYTES.reason + BYTES_PER_UNIT * (code.length + text.length + fact.length) + textBytesMax(layers) + spanBytesMax(evidence);
  }
  return bytes;
}

function fits(verdict: Verdict): boolean {
  if (verdict.reasons.length <= PROTOCOL_LIMITS.reasonsMax && verdictBytesBound(verdict) <= RECEIPT_LIMITS.verdictBytesMax) return true;
  return verdict.reasons.length <= PROTOCOL_LIMITS.reasonsMax && utf8Length(jcs(verdict)) <= RECEIPT_LIMITS.verdictBytesMax;
}

/** The verdict as an entry holds it. Pure; fitting twice changes nothing. */
export function fitVerdict(verdict: Verdict): Verdict {
  if (fits(verdict)) return verdict;
  let fitted = verdict;
  for (let spansMax: number = PROTOCOL_LIMITS.evidenceMax; spansMax >= 0; spansMax -= 1) {
    const limit = spansMax;
    fitted = withReasons(
      verdict,
      verdict.reasons.slice(0, PROTOCOL_LIMITS.reasonsMax).map((reason) => fitReason(reason, limit)),
    );
    if (fits(fitted)) return fitted;
  }
  for (let kept = fitted.reasons.length - 1; kept > 0 && !fits(fitted); kept -= 1)
    fitted = withReasons(verdict, fitted.reasons.slice(0, kept));
  return fitted;
}

type Findings = OutcomeBody['findings'];

/** The findings as an outcome holds them, and how many were cut. */
export function fitFindings(findings: Findings): { readonly findings: Findings; readonly findingsCut: number } {
  const kept: Findings[number][] = [];
  let bytes = 2;
  for (const finding of findings.slice(0, RECEIPT_LIMITS.findingsMax)) {
    const evidence = finding.evidence.slice(0, PROTOCOL_LIMITS.evidenceMax).map(fitSpan);
    const fitted = { rule: plainText(finding.rule, RECEIPT_LIMITS.codeCharsMax), evidence };
    bytes += jcs(fitted).length + 1;
    if (bytes > RECEIPT_LIMITS.findingsBytesMax) break;
    kept.push(fitted);
  }
  return { findings: kept, findingsCut: findings.length - kept.length };
}
