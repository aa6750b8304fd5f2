/**
 * @module A session's chain from its bundles: every entry proven, no counter missing, every `prev` the hash of the body before it. A chain
 * without `session.end` is open: nothing says that it has not gone on.
 */
import { sha256Hex } from '@countersign/crypto';
import { RECEIPT_TYPE, SESSION_END_TYPE, type EntryBody } from '@countersign/protocol';
import { jcs } from './jcs.ts';
import { RECEIPT_LIMITS } from './limits.ts';
import type { Trust } from './open-trusted.ts';
import { readBundle, type Bundle } from './read-bundle.ts';
import { failed, passed, type Check, type VerifyReport } from './report.ts';
import { checkOutcomes, outcomesNotReached } from './session-outcomes.ts';
import { verifyBundle } from './verify-bundle.ts';

export interface SessionReport {
  /** True when every bundle is proven and the chain has no gap; the session may still be open. */
  readonly ok: boolean;
  readonly chain: Check;
  /** That each receipt which asked for an outcome has one, in time. */
  readonly outcomes: Check;
  /** `closed` by a session end, or `open`. */
  readonly end: 'closed' | 'open';
  /** One report a bundle, in the order given. */
  readonly bundles: readonly VerifyReport[];
}

function orgOf(body: EntryBody): string {
  return body.type === RECEIPT_TYPE ? body.principal.org : body.org;
}

/** Member by member: a name may hold any character, so that none could part them in one text. */
function isOneChain(a: EntryBody, b: EntryBody): boolean {
  return a.log === b.log && orgOf(a) === orgOf(b) && a.session === b.session;
}

function checkLink(bundle: Bundle, before: Bundle | undefined, seq: number): Check | undefined {
  const { body } = bundle.entry;
  if (body.seq < seq) return failed('chain', 'chain_repeated', `Number ${body.seq} of the session is there twice.`);
  if (body.seq > seq) return failed('chain', 'chain_gap', `Number ${seq} of the session is missing.`);
  const prev = before === undefined ? null : sha256Hex(jcs(before.entry.body));
  if (body.prev !== prev) return failed('chain', 'chain_broken', `Number ${seq} of the session does not follow from the entry before it.`);
  if (before !== undefined && bundle.index <= before.index)
    return failed('chain', 'chain_order', `Number ${seq} of the session stands before number ${seq - 1} in the log.`);
  if (before?.entry.body.type === SESSION_END_TYPE)
    return failed('chain', 'chain_after_end', `The session goes on after its end at number ${seq - 1}.`);
  return undefined;
}

function inOrder(bundles: readonly Bundle[]): readonly Bundle[] {
  return [...bundles].sort((a, b) => a.entry.body.seq - b.entry.body.seq);
}

function checkChain(bundles: readonly Bundle[]): Check {
  const [first] = bundles;
  if (first === undefined) return failed('chain', 'chain_empty', 'There is no bundle to check.');
  if (bundles.some((bundle) => !isOneChain(bundle.entry.body, first.entry.body))) {
    return failed('chain', 'chain_mixed', 'The bundles belong to more than one session, org or log.');
  }
  const sorted = inOrder(bundles);
  for (let seq = 0; seq < sorted.length; seq += 1) {
    const bundle = sorted[seq];
    const fault = bundle === undefined ? undefined : checkLink(bundle, sorted[seq - 1], seq);
    if (fault !== undefined) return fault;
  }
  return passed('chain', 'chain_ok', `The chain of session ${first.entry.body.session} is whole from 0 to ${sorted.length - 1}.`);
}

/** Two checkpoints of one size with two roots: the log showed two faces. */
function checkFork(bundles: readonly Bundle[]): Check | undefined {
  const heads = new Map<string, string>();
  for (const { checkpoint } of bundles) {
    const [origin = '', size = '', root = ''] = checkpoint.split('\n', 3);
    const known = heads.get(`${origin}\n${size}`);
    if (known !== undefined && known !== root)
      return failed('chain', 'chain_forked', `The log signed two different trees of size ${size}.`);
    heads.set(`${origin}\n${size}`, root);
  }
  return undefined;
}

export interface SessionOptions {
  /** RFC 3339 in UTC with milliseconds: what is due by then must be there. Without it an open session's missing outcomes are pending. */
  readonly now?: string;
}

/** Verifies bundles as the whole chain of one session. Total. */
export async function verifySession(files: readonly Uint8Array[], trust: Trust, options: SessionOptions = {}): Promise<SessionReport> {
  if (files.length > RECEIPT_LIMITS.sessionBundlesMax) {
    const chain = failed('chain', 'chain_too_long', `At most ${RECEIPT_LIMITS.sessionBundlesMax} bundles are verified at once.`);
    return { ok: false, chain, outcomes: outcomesNotReached(), end: 'open', bundles: [] };
  }
  const reports: VerifyReport[] = [];
  const bundles: Bundle[] = [];
  for (const bytes of files) {
    const report = await verifyBundle(bytes, trust);
    const read = readBundle(bytes);
    reports.push(report);
    if (report.ok && read.ok) bundles.push(read.value);
  }
  const proven = bundles.length === files.length;
  const chain = proven
    ? (checkFork(bundles) ?? checkChain(bundles))
    : failed('chain', 'chain_unproven', 'A bundle of the session does not verify.');
  const ended = bundles.some((bundle) => bundle.entry.body.type === SESSION_END_TYPE);
  const end = proven && ended ? 'closed' : 'open';
  const outcomes = chain.status === 'pass' ? checkOutcomes(inOrder(bundles), { end, now: options.now }) : outcomesNotReached();
  return { ok: chain.status === 'pass' && outcomes.status !== 'fail', chain, outcomes, end, bundles: reports };
}
