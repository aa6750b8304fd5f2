/**
 * @module Issuing: a draft becomes a numbered, committed, staged log entry. Staging is synchronous, so numbers are given in call order;
 * the caller waits for `durable` before anything leaves. Implements the `Recorder` port of the pipeline.
 */
import { base64, base64url, sha256Hex, type Signer } from '@countersign/crypto';
import { CodedError, invariant, type Random } from '@countersign/kernel';
import type { Log, LogRecord } from '@countersign/log';
import {
  ERASURE_TYPE,
  LOG_KEY_TYPE,
  OUTCOME_TYPE,
  PROTOCOL_LIMITS,
  RECEIPT_TYPE,
  SESSION_END_TYPE,
  type EntryBody,
  type ErasureBody,
  type LogKeyBody,
  type OutcomeBody,
  type OutcomeDraft,
  type ReceiptBody,
  type ReceiptDraft,
  type Recorder,
  type SessionEndBody,
  type Staged,
  type StateDelta,
} from '@countersign/protocol';
import { principalOf, summarizeAction } from './action-summary.ts';
import { chainName } from './chains.ts';
import { commit, commitText, SALT_BYTES } from './commitment.ts';
import { type EntryBytes, signedEntry, unsignedEntry } from './entry.ts';
import { fitFindings, fitVerdict } from './fit-verdict.ts';
import { jcs, utf8 } from './jcs.ts';
import { RECEIPT_LIMITS } from './limits.ts';
import { type LogMemory, ownBody, recallLog } from './log-memory.ts';
import { loggedName, plainText } from './logged-name.ts';
import { LOG_ORG, LOG_SESSION, VAULT_SESSION } from './reserved-sessions.ts';
import { attachmentsOf, readBack, subjectOf, vaultAad, type Sealer, type SealingSubject } from './vault-record.ts';

interface Common {
  readonly log: Log;
  readonly random: Random;
  readonly sealer: Sealer;
  /** What the storage behind `log` does: stated in every receipt. */
  readonly durability: ReceiptBody['durability'];
  readonly coverage: ReceiptBody['coverage'];
  /** Called at open for every entry of this room from `replayFrom` on, in the order of the log: to re-apply state deltas, which are sealed in the record. */
  readonly replay?: (body: EntryBody, record: LogRecord) => void;
  /** Place in the log; 0 where it is not said. */
  readonly replayFrom?: number;
}

/** `each` signs every entry and needs a signer; with `batch` the signed checkpoint is the signature. */
export type RecorderOptions = Common & ({ readonly signing: 'batch' } | { readonly signing: 'each'; readonly signer: Signer });

export interface StagedEntry<Body> extends Staged<Body> {
  /** Place in the log. */
  readonly index: number;
}

/** What ends a session's chain. */
export interface SessionEndDraft {
  readonly id: string;
  readonly time: string;
  readonly org: string;
  readonly session: string;
  readonly reason: string;
}

/** Whose content was erased. */
export interface ErasureDraft {
  readonly id: string;
  readonly time: string;
  readonly org: string;
  readonly subject: string;
  /** Keys that were destroyed. */
  readonly keys: number;
  readonly by: string;
  readonly reason: string;
}

export interface ReceiptRecorder extends Recorder {
  stageReceipt(draft: ReceiptDraft): StagedEntry<ReceiptBody>;
  stageOutcome(draft: OutcomeDraft): StagedEntry<OutcomeBody>;
  /** Closes the chain: whatever is staged for it later is refused with `session_ended`. */
  stageSessionEnd(draft: SessionEndDraft): StagedEntry<SessionEndBody>;
  /** True while a receipt of this session that was staged here has asked for an outcome which has not come. */
  isAwaiting(org: string, session: string): boolean;
  /** Place in the log of the newest entry of a session's chain, also of one that is not durable yet; undefined where there is none. */
  newest(org: string, session: string): number | undefined;
  /** The keys are destroyed already. */
  stageErasure(draft: ErasureDraft): StagedEntry<ErasureBody>;
  stageLogKey(draft: LogKeyDraft): StagedEntry<LogKeyBody>;
  /** Places in the log of the entries of a session's chain, oldest first, once they are durable: the newest `sessionBundlesMax`. */
  chain(org: string, session: string): Promise<readonly number[]>;
  /** Place in the log of the durable entry with this id, or undefined. */
  placeOf(id: string): Promise<number | undefined>;
  /** The durable entry with this id and what was kept with it, or undefined. @throws CodedError `log_archived`. */
  find(id: string): Promise<LogRecord | undefined>;
}

/** What changed the keys of the log. */
export interface LogKeyDraft {
  readonly id: string;
  readonly time: string;
  /** Verifier keys that sign from now on, the oldest first. */
  readonly keys: readonly string[];
  readonly added: string | null;
  readonly retired: string | null;
}

interface State {
  readonly options: RecorderOptions;
  readonly memory: LogMemory;
  /** Receipts that await an outcome, oldest first. */
  readonly awaited: Map<string, Awaited>;
}

interface Awaited {
  readonly subject: SealingSubject;
  readonly chain: string;
}

interface Sealing {
  readonly subject: SealingSubject;
  readonly plaintext: Uint8Array;
}

function bytesOf(options: RecorderOptions, text: string): EntryBytes {
  if (options.signing === 'batch') return unsignedEntry(text);
  const { signer } = options;
  return signedEntry(text, (body) => [{ keyId: signer.keyId, sig: base64url(signer.sign(body)) }]);
}

/** Stages a body and advances its chain; nothing advances when the log refuses. */
function stage<Body extends EntryBody>(state: State, body: Body, place: { org: string; sealing: Sealing }): StagedEntry<Body> {
  const { log, sealer } = state.options;
  const { subject, plaintext } = place.sealing;
  if (state.memory.chains.isClosed(place.org, body.session))
    throw new CodedError({ code: 'session_ended', message: 'the session was ended, and nothing may follow its end' });
  const { entry, body: bodyBytes } = bytesOf(state.options, jcs(body));
  invariant(entry.length <= PROTOCOL_LIMITS.entryBytesMax, 'an entry has at most 16 KB by construction');
  const sealed = sealer.seal(subject, plaintext, vaultAad(body.log, body.id));
  const { index, durable } = log.append({ entry, attachments: attachmentsOf(sealed, state.memory.chains.back(place.org, body.session)) });
  const head = { seq: body.seq, hash: sha256Hex(bodyBytes), index, closed: body.type === SESSION_END_TYPE };
  state.memory.note({ id: body.id, chain: chainName(place.org, body.session), head });
  return { body, index, durable };
}

function salts(random: Random): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const bytes = random.bytes(3 * SALT_BYTES);
  return [bytes.subarray(0, SALT_BYTES), bytes.subarray(SALT_BYTES, 2 * SALT_BYTES), bytes.subarray(2 * SALT_BYTES)];
}

/** Canonical texts of what was judged. */
interface Judged {
  readonly action: string;
  readonly state: string;
  readonly signals: string;
}

/** Sealed content: JCS of `{action, delta, salts, signals, state, v}`, put together from texts that were needed anyway. */
function vaultBytes({ action, state, signals }: Judged, saltText: string, delta: StateDelta): Uint8Array {
  return utf8(`{"action":${action},"delta":${jcs(delta)},"salts":${saltText},"signals":${signals},"state":${state},"v":1}`);
}

function remember(state: State, id: string, awaited: Awaited): void {
  state.awaited.set(id, awaited);
  if (state.awaited.size > RECEIPT_LIMITS.awaitedMax) state.awaited.delete(state.awaited.keys().next().value ?? id);
}

function stageReceipt(state: State, draft: ReceiptDraft): StagedEntry<ReceiptBody> {
  const { log, random, signing, durability, coverage } = state.options;
  const { action, delta } = draft;
  const judged: Judged = { action: draft.actionText ?? jcs(action), state: jcs(draft.state), signals: jcs(draft.signals) };
  const [actionSalt, stateSalt, signalsSalt] = salts(random);
  const principal = principalOf(action);
  const session = loggedName(action.session);
  const body: ReceiptBody = {
    type: RECEIPT_TYPE,
    id: draft.id,
    time: draft.time,
    log: log.origin,
    session,
    ...state.memory.chains.next(principal.org, session),
    principal,
    action: summarizeAction(action, commitText(actionSalt, judged.action)),
    inputs: { ...draft.inputs, state: commitText(stateSalt, judged.state), signals: commitText(signalsSalt, judged.signals) },
    verdict: fitVerdict(draft.verdict),
    signing,
    durability,
    outcomeBy: draft.outcomeBy,
    coverage,
  };
  const saltText = `{"action":"${base64url(actionSalt)}","signals":"${base64url(signalsSalt)}","state":"${base64url(stateSalt)}"}`;
  const subject = subjectOf(action);
  const staged = stage(state, body, { org: principal.org, sealing: { subject, plaintext: vaultBytes(judged, saltText, delta) } });
  if (draft.outcomeBy !== null) remember(state, draft.id, { subject, chain: chainName(principal.org, session) });
  return staged;
}

function stageOutcome(state: State, draft: OutcomeDraft): StagedEntry<OutcomeBody> {
  const { log, random } = state.options;
  const { receipt, response } = draft;
  const { org, agent } = receipt.principal;
  const salt = random.bytes(SALT_BYTES);
  const body: OutcomeBody = {
    type: OUTCOME_TYPE,
    id: draft.id,
    time: draft.time,
    log: log.origin,
    session: receipt.session,
    ...state.memory.chains.next(org, receipt.session),
    org,
    receipt: receipt.id,
    status: draft.status,
    ...(draft.code === undefined ? {} : { code: draft.code }),
    durationMs: draft.durationMs,
    response: response === null ? null : commit(salt, response),
    ...fitFindings(draft.findings),
    redactions: draft.redactions,
  };
  const plaintext = utf8(jcs({ v: 1, response: response === null ? null : base64(response), salt: base64url(salt) }));
  const subject = state.awaited.get(receipt.id)?.subject ?? { org, name: agent };
  const staged = stage(state, body, { org, sealing: { subject, plaintext } });
  state.awaited.delete(receipt.id);
  return staged;
}

function stageSessionEnd(state: State, draft: SessionEndDraft): StagedEntry<SessionEndBody> {
  const org = loggedName(draft.org);
  const session = loggedName(draft.session);
  const body: SessionEndBody = {
    type: SESSION_END_TYPE,
    id: draft.id,
    time: draft.time,
    log: state.options.log.origin,
    session,
    ...state.memory.chains.next(org, session),
    org,
    reason: plainText(draft.reason, PROTOCOL_LIMITS.reasonTextMax),
  };
  return stage(state, body, { org, sealing: { subject: { org: draft.org, name: '' }, plaintext: utf8('{"v":1}') } });
}

function stageErasure(state: State, draft: ErasureDraft): StagedEntry<ErasureBody> {
  const { log, random } = state.options;
  const org = loggedName(draft.org);
  const salt = random.bytes(SALT_BYTES);
  const erased = { org: draft.org, subject: draft.subject };
  const body: ErasureBody = {
    type: ERASURE_TYPE,
    id: draft.id,
    time: draft.time,
    log: log.origin,
    session: VAULT_SESSION,
    ...state.memory.chains.next(org, VAULT_SESSION),
    org,
    subject: commitText(salt, jcs(erased)),
    keys: draft.keys,
    by: loggedName(draft.by),
    reason: plainText(draft.reason, PROTOCOL_LIMITS.reasonTextMax),
  };
  const plaintext = utf8(jcs({ erased, salt: base64url(salt), v: 1 }));
  return stage(state, body, { org, sealing: { subject: { org: draft.org, name: '' }, plaintext } });
}

function stageLogKey(state: State, draft: LogKeyDraft): StagedEntry<LogKeyBody> {
  const body: LogKeyBody = {
    type: LOG_KEY_TYPE,
    id: draft.id,
    time: draft.time,
    log: state.options.log.origin,
    session: LOG_SESSION,
    ...state.memory.chains.next(LOG_ORG, LOG_SESSION),
    org: LOG_ORG,
    keys: draft.keys,
    added: draft.added,
    retired: draft.retired,
  };
  return stage(state, body, { org: LOG_ORG, sealing: { subject: { org: LOG_ORG, name: '' }, plaintext: utf8('{"v":1}') } });
}

/** Walks back from the head of a chain; each entry says where the one before stands. */
async function chainOf({ memory, options }: State, org: string, session: string): Promise<readonly number[]> {
  const { log } = options;
  const places: number[] = [];
  let at = memory.chains.back(loggedName(org), loggedName(session));
  if (at !== null && at >= log.durableSize) await log.whenPublished(at);
  while (at !== null && places.length < RECEIPT_LIMITS.sessionBundlesMax) {
    places.push(at);
    const back = readBack((await log.readRecord(at)).attachments);
    invariant(back !== undefined && (back === null || back < at), 'an entry of ours says where the one before it stands');
    at = back;
  }
  return places.reverse();
}

function isAwaiting({ awaited }: State, org: string, session: string): boolean {
  const name = chainName(loggedName(org), loggedName(session));
  for (const { chain } of awaited.values()) if (chain === name) return true;
  return false;
}

async function placeOf({ memory, options: { log } }: State, id: string): Promise<number | undefined> {
  for (const index of memory.ids.candidates(id)) {
    if (index < log.durableSize && ownBody(await log.readEntry(index))?.body.id === id) return index;
  }
  return undefined;
}

async function find(state: State, id: string): Promise<LogRecord | undefined> {
  const index = await placeOf(state, id);
  return index === undefined ? undefined : state.options.log.readRecord(index);
}

/**
 * A recorder over an open log: chains go on where they stood, and `replay` sees every entry from `replayFrom` on. Reads what was kept of
 * closed segments, and the records of the last one. One recorder a log: two would number against each other.
 * @throws CodedError what reading the log throws.
 */
export async function createRecorder(options: RecorderOptions): Promise<ReceiptRecorder> {
  const { log, replay, replayFrom = 0 } = options;
  const state: State = { options, memory: await recallLog(log, { replay, replayFrom }), awaited: new Map() };
  return {
    stageReceipt: (draft) => stageReceipt(state, draft),
    stageOutcome: (draft) => stageOutcome(state, draft),
    stageSessionEnd: (draft) => stageSessionEnd(state, draft),
    isEnded: (org, session) => state.memory.chains.isClosed(loggedName(org), loggedName(session)),
    isAwaiting: (org, session) => isAwaiting(state, org, session),
    newest: (org, session) => state.memory.chains.back(loggedName(org), loggedName(session)) ?? undefined,
    stageErasure: (draft) => stageErasure(state, draft),
    stageLogKey: (draft) => stageLogKey(state, draft),
    chain: (org, session) => chainOf(state, org, session),
    placeOf: (id) => placeOf(state, id),
    find: (id) => find(state, id),
  };
}
