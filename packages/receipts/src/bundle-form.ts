/** @module The form of entries and bundles, member by member (spec/receipt.md, spec/bundle.md). */
import {
  DECISIONS,
  ERASURE_TYPE,
  LOG_KEY_TYPE,
  OUTCOME_TYPE,
  PROTOCOL_LIMITS,
  RECEIPT_TYPE,
  RISK_LEVELS,
  SCORE_CIRCUITS,
  SESSION_END_TYPE,
  SEVERITIES,
} from '@countersign/protocol';
import { pointer } from '@countersign/kernel';
import { parseNoteVerifierKey } from '@countersign/crypto';
import { anyValue, byMember, closed, count, either, listOf, matching, oneOf, orNull, someOf, text, type Form } from './form.ts';
import { RECEIPT_LIMITS } from './limits.ts';
import { LOG_ORG, LOG_SESSION, VAULT_SESSION } from './reserved-sessions.ts';

export const BUNDLE_TYPE = 'countersign.bundle.v1';

const hash = matching(/^[0-9a-f]{64}$/, 'a lower-case hex SHA-256');
const uuid = matching(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'a UUID');
const time = matching(/^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$/, 'an RFC 3339 time in UTC with milliseconds');
const name = text(RECEIPT_LIMITS.nameCharsMax);
const shortText = text(PROTOCOL_LIMITS.entryBytesMax);
const thousandths = count(1000);
const evidence = listOf(closed({ path: shortText, start: count(), end: count() }), PROTOCOL_LIMITS.evidenceMax);

const link = { log: text(256), session: name, seq: count(), prev: orNull(hash), id: uuid, time };

const reason = closed(
  { code: shortText, text: shortText, severity: oneOf(...SEVERITIES), score: thousandths, evidence },
  { fact: shortText, layers: listOf(shortText, 64) },
);

/** D6 counts thousandths, the others whole steps. */
const dimensions: Form = (value, path) => {
  const list = listOf(count(3000), 6)(value, path);
  if (list !== undefined) return list;
  const items = value as readonly number[];
  const bad = [3, 3, 3, 2, 2, 3000].findIndex((max, i) => (items[i] ?? Infinity) > max);
  return bad < 0 ? undefined : { path: pointer(path, bad), message: 'not a score of this dimension' };
};

const dimensionNumber: Form = (value, path) => (value === 0 ? { path, message: 'not the number of a dimension' } : count(6)(value, path));

const scores = closed(
  { d: dimensions, composite: count(RECEIPT_LIMITS.compositeMax), level: oneOf(...RISK_LEVELS) },
  { circuit: oneOf(...SCORE_CIRCUITS), missing: someOf(dimensionNumber, 6) },
);

const verdict = closed(
  {
    decision: oneOf(...DECISIONS),
    risk: thousandths,
    severity: oneOf(...SEVERITIES),
    reasons: listOf(reason, PROTOCOL_LIMITS.reasonsMax),
    reasonsCut: count(),
    obligations: listOf(shortText, 256),
    by: oneOf('judge', 'pipeline'),
  },
  { scores },
);

const principal = closed(
  { org: name, agent: name, delegation: listOf(name, RECEIPT_LIMITS.delegationMax) },
  { trace: closed({ traceId: name }, { spanId: name }) },
);

const summary = closed(
  {
    id: name,
    kind: text(RECEIPT_LIMITS.kindCharsMax),
    commitment: hash,
    fields: listOf(text(RECEIPT_LIMITS.fieldCharsMax), RECEIPT_LIMITS.fieldsMax),
    fieldsCut: count(),
  },
  { tool: text(RECEIPT_LIMITS.toolCharsMax), descriptor: name },
);

const receipt = closed({
  ...link,
  type: oneOf(RECEIPT_TYPE),
  principal,
  action: summary,
  inputs: closed({ policy: hash, rules: hash, engine: hash, state: hash, signals: hash }),
  verdict,
  signing: oneOf('batch', 'each'),
  durability: oneOf('synced', 'fast'),
  outcomeBy: orNull(time),
  coverage: oneOf('L0', 'L1', 'L2', 'L3'),
});

const outcome = closed(
  {
    ...link,
    type: oneOf(OUTCOME_TYPE),
    org: name,
    receipt: uuid,
    status: oneOf('ok', 'error', 'blocked', 'timeout', 'unknown'),
    durationMs: count(),
    response: orNull(hash),
    findings: listOf(closed({ rule: shortText, evidence }), RECEIPT_LIMITS.findingsMax),
    findingsCut: count(),
    redactions: count(),
  },
  { code: count() },
);

const sessionEnd = closed({ ...link, type: oneOf(SESSION_END_TYPE), org: name, reason: text(PROTOCOL_LIMITS.reasonTextMax) });

/** A verifier key of a log. */
const vkey: Form = (value, path) =>
  typeof value === 'string' && parseNoteVerifierKey(value).ok ? undefined : { path, message: 'not a verifier key of a log' };

/** Printable ASCII. */
const reasonText = matching(/^[ -~]{0,160}$/, 'at most 160 characters of printable ASCII');

const logKey = closed({
  ...link,
  type: oneOf(LOG_KEY_TYPE),
  session: oneOf(LOG_SESSION),
  org: oneOf(LOG_ORG),
  keys: someOf(vkey, 4),
  added: orNull(vkey),
  retired: orNull(vkey),
});
const erasure = closed({
  ...link,
  type: oneOf(ERASURE_TYPE),
  session: oneOf(VAULT_SESSION),
  org: name,
  subject: hash,
  keys: count(),
  by: name,
  reason: reasonText,
});

const signature = closed({
  keyId: matching(/^[0-9a-f]{16}$/, 'a key id of 16 hex digits'),
  sig: matching(/^[A-Za-z0-9_-]{86}$/, 'a base64url Ed25519 signature'),
});

/** `{body, signatures}`. */
export const ENTRY_FORM: Form = closed({
  body: byMember('type', {
    [RECEIPT_TYPE]: receipt,
    [OUTCOME_TYPE]: outcome,
    [SESSION_END_TYPE]: sessionEnd,
    [LOG_KEY_TYPE]: logKey,
    [ERASURE_TYPE]: erasure,
  }),
  signatures: listOf(signature, 4),
});

const salt = matching(/^[A-Za-z0-9_-]{43}$/, 'a base64url salt of 32 bytes');

/** What was judged, with the salts that tie it to its receipt. */
export const RECEIPT_INPUTS_FORM: Form = closed({
  action: anyValue,
  state: anyValue,
  signals: listOf(anyValue, RECEIPT_LIMITS.bundleNodesMax),
  salts: closed({ action: salt, state: salt, signals: salt }),
});

const outcomeInputs = closed({ response: orNull(text(RECEIPT_LIMITS.bundleBytesMax)), salt });

const erasureInputs = closed({
  erased: closed({ org: text(RECEIPT_LIMITS.bundleBytesMax), subject: text(RECEIPT_LIMITS.bundleBytesMax) }),
  salt,
});

/** A bundle whose entry may still have any form: `ENTRY_FORM` is a check of its own. */
export const BUNDLE_FORM: Form = closed(
  {
    type: oneOf(BUNDLE_TYPE),
    entry: closed({ body: anyValue, signatures: anyValue }),
    index: count(),
    proof: listOf(matching(/^[A-Za-z0-9+/]{43}=$/, 'a base64 hash'), RECEIPT_LIMITS.proofHashesMax),
    checkpoint: text(65_536),
  },
  {
    inputs: either(RECEIPT_INPUTS_FORM, outcomeInputs, erasureInputs),
    documents: closed({ policy: anyValue, rules: anyValue }),
    digest: hash,
  },
);
