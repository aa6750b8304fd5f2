/**
 * @module jailbreak_detection: what a user says to talk a model out of its rules, weighed in four layers (`jailbreak-risk.ts`), one message by
 * itself and all messages of a session together: a session whose rolling risk is too high has its next suspicious message refused.
 */
import { getOwn, isJsonObject, type JsonValue } from '@countersign/kernel';
import type { GuardResult } from '@countersign/protocol';
import type { PolicySeverity } from '../content.ts';
import { fingerprint } from './fingerprint.ts';
import { HEURISTICS, JAILBREAK_FAMILIES, type Layers, riskOf, sentText, statisticsOf } from './jailbreak-risk.ts';
import { allow, blind, block, type Finding, type GuardContext, warn } from './result.ts';
import { packSessionRisk, riskAt, unpackSessionRisk } from './session-risk.ts';
import type { JailbreakConfig, JailbreakDetector } from './text-guards-config.ts';
import { isUnread, type TextSignals, textSignals } from './text-signals.ts';

const GUARD = 'jailbreak_detection';

/** Kinds that bring what a user says; the last two are names that custom actions have. */
const SPOKEN: ReadonlySet<string> = new Set(['prompt.input', 'user_input', 'hushclaw.user_input']);

type Level = 'safe' | 'suspicious' | 'likely' | 'confirmed';

const CONFIRMED_RISK = 85;
const LIKELY_RISK = 60;
const SUSPICIOUS_RISK = 25;

const SEVERITY: Readonly<Record<Level, PolicySeverity>> = { safe: 'info', suspicious: 'warning', likely: 'error', confirmed: 'critical' };

function levelOf(risk: number): Level {
  if (risk >= CONFIRMED_RISK) return 'confirmed';
  if (risk >= LIKELY_RISK) return 'likely';
  return risk >= SUSPICIOUS_RISK ? 'suspicious' : 'safe';
}

/** How much of the session's risk a message of this risk adds to: ordinary talk adds nothing, however long it goes on. */
function isSuspicious(risk: number, detector: JailbreakDetector): boolean {
  return risk >= Math.min(detector.warn_threshold, SUSPICIOUS_RISK) && risk > 0;
}

interface Session {
  /** Tenths of a point, this message included. */
  readonly tenths: number;
  readonly atSeconds: number;
  readonly threshold: number;
}

/** Undefined where sessions are not added up, or this message adds nothing. */
function sessionOf(detector: JailbreakDetector, risk: number, { state, nowSeconds }: GuardContext): Session | undefined {
  if (!detector.session_aggregation || !isSuspicious(risk, detector)) return undefined;
  const { sessionRisk } = state;
  const before = sessionRisk === undefined ? 0 : unpackSessionRisk(sessionRisk).at;
  // Without a clock nothing is forgotten; a clock that went back does not make the session younger.
  const at = Math.max(nowSeconds ?? before, before);
  const threshold = detector.session_block_threshold ?? 3 * detector.block_threshold;
  return { tenths: riskAt(sessionRisk, at, detector) + risk * 10, atSeconds: at, threshold };
}

interface Reading {
  readonly content: string;
  readonly found: TextSignals;
  readonly layers: Layers;
  readonly session: Session | undefined;
}

function detailsOf({ content, found, layers, session }: Reading): Record<string, JsonValue> {
  const signals = Object.keys(HEURISTICS).filter((id) => found.spans.has(id));
  const thousandths = (value: number): number => Math.round(value * 1000);
  return {
    fingerprint: fingerprint(content),
    severity: levelOf(layers.risk),
    risk_score: layers.risk,
    signals: signals.map((id) => ({ id, category: HEURISTICS[id]?.category ?? '' })),
    layers: {
      heuristic: thousandths(layers.heuristic),
      statistical: thousandths(layers.statistical),
      ml: thousandths(layers.ml),
      ...(layers.judge === undefined ? {} : { llm_judge: thousandths(layers.judge) }),
    },
    ...(session === undefined
      ? {}
      : { session: { rolling_risk: session.tenths / 10, block_threshold: session.threshold, last_seen: session.atSeconds } }),
  };
}

function answer({ block_threshold: refuseAt, warn_threshold: warnAt }: JailbreakDetector, reading: Reading): GuardResult {
  const { risk } = reading.layers;
  const { session } = reading;
  // Ordinary talk costs no hash of it.
  if (risk < warnAt && session === undefined) return allow(GUARD);
  const details = detailsOf(reading);
  const level = levelOf(risk);
  const finding = (code: string, message: string): Finding => ({ code, message, details, evidence: [...reading.found.spans.values()] });
  if (risk >= refuseAt) return block(GUARD, SEVERITY[level], finding(`jailbreak_${level}`, 'Jailbreak attempt detected'));
  if (session !== undefined && session.tenths >= session.threshold * 10)
    return block(GUARD, 'error', finding('jailbreak_session', 'Jailbreak attempts add up over the session'));
  if (risk >= warnAt) return warn(GUARD, finding(`jailbreak_${level}`, 'Jailbreak attempt suspected'));
  return allow(GUARD, { details });
}

export function judgeJailbreak({ detector }: JailbreakConfig, context: GuardContext): GuardResult | undefined {
  const { action, facts } = context;
  if (!SPOKEN.has(action.kind)) return undefined;
  const { content } = action;
  if (content === undefined) return blind(GUARD, 'The message is missing', 'missing_text');
  if (isUnread(context)) return blind(GUARD, 'Not all of the message could be read', 'facts_cut');
  const found = textSignals(context, JAILBREAK_FAMILIES);
  const statistics = statisticsOf(sentText(found.texts));
  const layers = riskOf(detector, { signals: new Set(found.spans.keys()), invisible: found.invisible, statistics, facts });
  return answer(detector, { content, found, layers, session: sessionOf(detector, layers.risk, context) });
}

/** What the session's risk is after these results, as a number that only grows; undefined where it did not change. */
export function sessionRiskAfter(results: readonly GuardResult[]): number | undefined {
  const details = results.find(({ guard }) => guard === GUARD)?.details;
  const session = isJsonObject(details) ? getOwn(details, 'session') : undefined;
  if (!isJsonObject(session)) return undefined;
  const [rolling, at] = [getOwn(session, 'rolling_risk'), getOwn(session, 'last_seen')];
  return typeof rolling === 'number' && typeof at === 'number' ? packSessionRisk({ at, tenths: Math.round(rolling * 10) }) : undefined;
}
