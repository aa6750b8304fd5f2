/** One session as it stands in a log, written out: what is exported does not depend on how entries are issued. */
import { base64, createSigner, noteVerifierKey, sha256Hex, type Signer } from '@countersign/crypto';
import { canonicalize, type JsonValue } from '@countersign/kernel';
import { createMemoryDisk, createMemoryStorage, openLog } from '@countersign/log';
import type { EntryBody, OutcomeBody, ReceiptBody, SessionEndBody, Verdict } from '@countersign/protocol';
import type { ExportTrust } from '../src/exports.ts';
import type { Bundle } from '../src/read-bundle.ts';

export const LOG = 'example.org/countersign/exports-test';
export const logSigner: Signer = createSigner(new Uint8Array(32).fill(11));
export const signer: Signer = createSigner(new Uint8Array(32).fill(12));
export const cosigner: Signer = createSigner(new Uint8Array(32).fill(13));
export const stranger: Signer = createSigner(new Uint8Array(32).fill(99));

export function keyText(one: Signer): string {
  return Buffer.from(one.publicKey).toString('base64url');
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function json(noun: object): JsonValue {
  return noun as unknown as JsonValue;
}

export const trust: ExportTrust & { readonly vkeys: readonly string[]; readonly receiptKeys: readonly string[] } = {
  vkeys: [noteVerifierKey(LOG, logSigner.publicKey)],
  receiptKeys: [keyText(signer)],
};

const uuid = (n: number): string => `01930000-0000-7000-8000-${String(n).padStart(12, '0')}`;

/** A verdict of each kind that differs in an export. The texts hold what implementations spell in different ways. */
export const verdicts: Readonly<Record<'allow' | 'warn' | 'deny', Verdict>> = {
  allow: { decision: 'allow', risk: 0, severity: 'info', reasons: [], reasonsCut: 0, obligations: ['inspect-response'], by: 'judge' },
  warn: {
    decision: 'warn',
    risk: 250,
    severity: 'low',
    reasons: [{ code: 'state.tool_pending', text: 'The tool is pending', severity: 'low', score: 250, evidence: [] }],
    reasonsCut: 0,
    obligations: [],
    by: 'judge',
  },
  deny: {
    decision: 'deny',
    risk: 930,
    severity: 'critical',
    reasons: [
      {
        code: 'R900',
        text: 'Gelöscht\u007f\u0085: \u{1f600} "quoted" \\',
        severity: 'critical',
        score: 930,
        fact: 'command',
        evidence: [{ path: '/params/\u007f', start: 0, end: 4 }],
        layers: ['base64'],
      },
      { code: 'guard.shell_command.denied', text: 'A guard', severity: 'medium', score: 0, evidence: [] },
    ],
    reasonsCut: 2,
    obligations: [],
    by: 'judge',
  },
};

export type Link = Pick<EntryBody, 'seq' | 'prev'>;

export function receiptBody(link: Link, verdict: Verdict = verdicts.deny, change: Partial<ReceiptBody> = {}): ReceiptBody {
  return {
    type: 'countersign.receipt.v1',
    id: uuid(link.seq),
    time: '2026-01-02T03:04:05.678Z',
    log: LOG,
    session: 'session-1',
    ...link,
    principal: { org: 'org-1', agent: 'agent-1', delegation: ['root'], trace: { traceId: 'a'.repeat(32) } },
    action: {
      id: uuid(500),
      kind: 'shell.exec',
      tool: 'shell.exec',
      commitment: 'c'.repeat(64),
      fields: ['/params/command'],
      fieldsCut: 0,
    },
    inputs: { policy: '1'.repeat(64), rules: '2'.repeat(64), engine: '3'.repeat(64), state: '4'.repeat(64), signals: '5'.repeat(64) },
    verdict,
    signing: 'batch',
    durability: 'synced',
    outcomeBy: '2026-01-02T03:05:05.678Z',
    coverage: 'L1',
    ...change,
  };
}

export function outcomeBody(link: Link): OutcomeBody {
  return {
    type: 'countersign.outcome.v1',
    id: uuid(link.seq),
    time: '2026-01-02T03:04:06.000Z',
    log: LOG,
    session: 'session-1',
    ...link,
    org: 'org-1',
    receipt: uuid(0),
    status: 'ok',
    durationMs: 12,
    response: null,
    findings: [],
    findingsCut: 0,
    redactions: 0,
  };
}

export function endBody(link: Link): SessionEndBody {
  return {
    type: 'countersign.session-end.v1',
    id: uuid(link.seq),
    time: '2026-01-02T03:04:09.000Z',
    log: LOG,
    session: 'session-1',
    ...link,
    org: 'org-1',
    reason: 'done',
  };
}

export function hashOf(body: EntryBody): string {
  return sha256Hex(canonicalize(json(body)));
}

/** A chain of bodies, each made from its link. */
export function chainOf(makers: readonly ((link: Link) => EntryBody)[]): readonly EntryBody[] {
  const bodies: EntryBody[] = [];
  for (const [seq, make] of makers.entries()) {
    const before = bodies.at(-1);
    bodies.push(make({ seq, prev: before === undefined ? null : hashOf(before) }));
  }
  return bodies;
}

/** Warned, its outcome, allowed, denied, ended. */
export const session: readonly EntryBody[] = chainOf([
  (link) => receiptBody(link, verdicts.warn),
  outcomeBody,
  (link) => receiptBody(link, verdicts.allow, { outcomeBy: null }),
  (link) => receiptBody(link, verdicts.deny, { outcomeBy: null }),
  endBody,
]);

/** The n-th of a list that has one. */
export function nth<Item>(items: readonly Item[], n: number): Item {
  const item = items[n];
  if (item === undefined) throw new Error(`there is no number ${n}`);
  return item;
}

/** A member that is a text, as a text. */
export function textAt(object: Readonly<Record<string, JsonValue>>, name: string): string {
  const value = object[name];
  if (typeof value !== 'string') throw new Error(`\`${name}\` is no text`);
  return value;
}

export function receiptAt(n: number): ReceiptBody {
  const body = session[n];
  if (body?.type !== 'countersign.receipt.v1') throw new Error(`entry ${n} is no receipt`);
  return body;
}

/** What a bundle says of each entry of a log with these texts. */
export async function bundlesOf(entries: readonly string[], origin = LOG): Promise<readonly Bundle[]> {
  const log = await openLog({ storage: createMemoryStorage(createMemoryDisk()), origin, noteSigner: { name: origin, signer: logSigner } });
  const places = entries.map((entry) => log.append({ entry: Buffer.from(entry), attachments: [] }));
  await Promise.all(places.map(({ durable }) => durable));
  const { size, note } = await log.whenPublished(entries.length - 1);
  const bundles: Bundle[] = [];
  for (const [index, entry] of entries.entries()) {
    const proof = (await log.inclusionProof(index, size)).map((hash) => base64(hash));
    bundles.push({ type: 'countersign.bundle.v1', entry: JSON.parse(entry) as Bundle['entry'], index, proof, checkpoint: note });
  }
  await log.close();
  return bundles;
}

export function entryText(body: EntryBody, signatures: readonly object[] = []): string {
  return canonicalize({ body: json(body), signatures: signatures.map(json) });
}
