/** @module A session's posture as the text of a column, and back; what was not written here is refused. */
import { canonicalize, getOwn, isJsonObject, type JsonObject, type JsonValue, parseJson } from '@countersign/kernel';
import { type PostureChange, type PostureState, PROTOCOL_LIMITS, type SessionOrigin } from '@countersign/protocol';

export function writePosture(posture: PostureState): string {
  return canonicalize(posture as unknown as JsonValue);
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function readChange(value: JsonValue): PostureChange | undefined {
  if (!isJsonObject(value)) return undefined;
  const [from, to, on, at] = [getOwn(value, 'from'), getOwn(value, 'to'), getOwn(value, 'on'), getOwn(value, 'at')];
  if (typeof from !== 'string' || typeof to !== 'string' || typeof on !== 'string' || !isCount(at)) return undefined;
  return { from, to, on, at };
}

function readUsed(value: JsonValue | undefined): Readonly<Record<string, number>> | undefined {
  if (!isJsonObject(value)) return undefined;
  const used = Object.entries(value).flatMap(([budget, count]) => (isCount(count) ? [[budget, count] as const] : []));
  return used.length === Object.keys(value).length ? Object.fromEntries(used) : undefined;
}

function readOrigin(value: JsonValue): SessionOrigin | undefined {
  const [at, profile] = isJsonObject(value) ? [getOwn(value, 'at'), getOwn(value, 'profile')] : [];
  return typeof at === 'string' && typeof profile === 'string' ? { at, profile } : undefined;
}

/** What stands there of origins, nothing included. */
function readPlaces(posture: JsonObject): Pick<PostureState, 'origin' | 'counts'> | undefined {
  const [given, written] = [getOwn(posture, 'origin'), getOwn(posture, 'counts')];
  const origin = given === undefined ? undefined : readOrigin(given);
  const counts = written === undefined ? undefined : readUsed(written);
  const isWhole = (given === undefined || origin !== undefined) && (written === undefined || counts !== undefined);
  return isWhole ? { ...(origin === undefined ? {} : { origin }), ...(counts === undefined ? {} : { counts }) } : undefined;
}

function readHistory(value: JsonValue | undefined): readonly PostureChange[] | undefined {
  if (!Array.isArray(value) || value.length > PROTOCOL_LIMITS.postureHistoryMax) return undefined;
  const history = (value as readonly JsonValue[]).flatMap((item) => readChange(item) ?? []);
  return history.length === value.length ? history : undefined;
}

/** Undefined where the text is not that of a posture. */
export function parsePosture(text: string): PostureState | undefined {
  const parsed = parseJson(new TextEncoder().encode(text));
  const value = parsed.ok ? parsed.value.value : undefined;
  if (!isJsonObject(value)) return undefined;
  const [n, state, entered, violated] = [getOwn(value, 'n'), getOwn(value, 'state'), getOwn(value, 'entered'), getOwn(value, 'violated')];
  const used = readUsed(getOwn(value, 'used'));
  const history = readHistory(getOwn(value, 'history'));
  if (!isCount(n) || typeof state !== 'string' || !isCount(entered) || used === undefined || history === undefined) return undefined;
  if (violated !== undefined && !isCount(violated)) return undefined;
  const places = readPlaces(value);
  if (places === undefined) return undefined;
  return { n, state, entered, used, history, ...(violated === undefined ? {} : { violated }), ...places };
}
