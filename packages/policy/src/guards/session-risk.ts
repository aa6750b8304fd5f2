/**
 * @module Rolling risk of a session: what its messages came to, halved with each half-life of recorded time. One whole number holds the time
 * and the risk, the time in the upper digits, so that of two the greater one is the later one.
 */
import type { JailbreakDetector } from './text-guards-config.ts';

/** Tenths of a risk point fit below it. */
const RISK_BASE = 2 ** 20;
const TENTHS_MAX = RISK_BASE - 1;
const SECONDS_MAX = 2 ** 32;

export interface SessionRisk {
  /** Unix seconds. */
  readonly at: number;
  /** Tenths of a point. */
  readonly tenths: number;
}

export function packSessionRisk({ at, tenths }: SessionRisk): number {
  return Math.min(at, SECONDS_MAX) * RISK_BASE + Math.min(tenths, TENTHS_MAX);
}

export function unpackSessionRisk(packed: number): SessionRisk {
  return { at: Math.floor(packed / RISK_BASE), tenths: packed % RISK_BASE };
}

/** Halvings beyond which nothing is left of any risk. */
const HALVINGS_MAX = 32;
/** Steps one half-life is divided into: each is one multiplication by a root of one half. */
const PARTS = 64;
/** The 64th root of one half. */
const PART = 0.9892280131939755;

/** `tenths` after some seconds; at the same time, or where the clock went back, nothing is forgotten. */
export function decayed(tenths: number, seconds: number, halfLife: number): number {
  if (halfLife === 0 || seconds <= 0) return tenths;
  const parts = Math.floor((seconds * PARTS) / halfLife);
  if (parts > HALVINGS_MAX * PARTS) return 0;
  let left = tenths;
  for (let i = 0; i < parts; i += 1) left *= PART;
  return Math.round(left);
}

/** What is left of a session's risk at a time. */
export function riskAt(packed: number | undefined, nowSeconds: number, detector: JailbreakDetector): number {
  if (packed === undefined) return 0;
  const { at, tenths } = unpackSessionRisk(packed);
  if (nowSeconds - at > detector.session_ttl_seconds) return 0;
  return decayed(tenths, nowSeconds - at, detector.session_half_life_seconds);
}
