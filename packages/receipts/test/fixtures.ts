import { createSigner, noteVerifierKey, openAesGcm, sealAesGcm, sha256, sha256Hex, type Signer } from '@countersign/crypto';
import { canonicalize, CodedError, type Random } from '@countersign/kernel';
import { createMemoryDisk, createMemoryStorage, openLog, type Log, type MemoryDisk } from '@countersign/log';
import type { Action, OutcomeDraft, ReceiptBody, ReceiptDraft, Verdict } from '@countersign/protocol';
import { createRecorder, disclose, makeBundle, type Opener, type ReceiptRecorder, type Sealer, type Trust } from '../src/index.ts';

export const ORIGIN = 'example.org/countersign/receipts-test';
export const logSigner: Signer = createSigner(new Uint8Array(32).fill(1));
export const receiptSigner: Signer = createSigner(new Uint8Array(32).fill(2));
export const trust: Trust = { vkeys: [noteVerifierKey(ORIGIN, logSigner.publicKey)], receiptKeys: [base64urlOf(receiptSigner.publicKey)] };

function base64urlOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

/** Bytes that look random and are the same in every run. */
export function seededRandom(seed: string): Random {
  let counter = 0;
  return {
    bytes: (length) => {
      const out = new Uint8Array(length);
      for (let at = 0; at < length; at += 32) {
        out.set(sha256(`${seed}:${counter}`).subarray(0, Math.min(32, length - at)), at);
        counter += 1;
      }
      return out;
    },
  };
}

/** Keys by their id, for every sealer of the process: what one sealed another opens. */
const keys = new Map<string, Uint8Array>();

/** A sealer with a key per subject; id and nonce travel in front. */
export function testSealer(random: Random): Sealer & Opener {
  return {
    seal: ({ org, name }, plaintext, aad) => {
      const key = sha256(`${org}\n${name}`);
      const id = Buffer.from(sha256(key)).subarray(0, 8);
      keys.set(id.toString('hex'), key);
      const nonce = random.bytes(12);
      return Buffer.concat([id, nonce, sealAesGcm({ key, nonce, plaintext, aad })]);
    },
    open: (sealed, aad) => {
      const key = keys.get(Buffer.from(sealed.subarray(0, 8)).toString('hex'));
      if (key === undefined) throw new CodedError({ code: 'vault_key_missing', message: 'no such key' });
      const opened = openAesGcm({ key, nonce: sealed.slice(8, 20), ciphertext: sealed.slice(20), aad });
      if (opened === undefined) throw new CodedError({ code: 'seal_broken', message: 'not what was sealed' });
      return opened;
    },
  };
}

/** First bytes of what is sealed for a subject. */
export function testKeyId(org: string, name: string): string {
  return Buffer.from(sha256(sha256(`${org}\n${name}`))).toString('hex', 0, 8);
}

export const policy = { name: 'test', guards: { forbidden_path: { patterns: ['**/.ssh/**'] } } };
export const rules = [{ id: 'R900', title: 'Anything at all', patterns: ['x'] }];

export const verdict: Verdict = {
  decision: 'deny',
  risk: 930,
  severity: 'high',
  reasons: [
    {
      code: 'R900',
      text: 'Anything at all',
      severity: 'high',
      score: 930,
      fact: 'command',
      evidence: [{ path: '/params/command', start: 0, end: 4 }],
    },
  ],
  reasonsCut: 0,
  obligations: [],
  by: 'judge',
};

export function uuid(n: number): string {
  return `01930000-0000-7000-8000-${String(n).padStart(12, '0')}`;
}

export function action(n: number, session = 'session-1'): Action {
  return {
    v: 1,
    id: uuid(n),
    kind: 'shell.exec',
    tool: 'shell.exec',
    params: { command: 'rm -rf /tmp/x', env: { HOME: '/root' }, list: ['a', 1, true, null] },
    source: { framework: 'unknown', door: 'test' },
    org: 'org-1',
    agent: uuid(900),
    session,
    subject: 'someone@example.org',
    trace: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) },
    delegation: [uuid(901)],
  };
}

export function receiptDraft(n: number, change: Partial<ReceiptDraft> = {}): ReceiptDraft {
  return {
    id: uuid(n),
    time: '2026-01-02T03:04:05.678Z',
    action: action(n),
    state: { agentState: 'active', scopes: ['*'], orgMode: 'locked', sessionCalls: n },
    signals: [{ kind: 'symlink', subject: '/tmp/x', value: '/etc' }],
    inputs: { policy: sha256Hex(canonicalize(policy)), rules: sha256Hex(canonicalize(rules)), engine: 'e'.repeat(64) },
    verdict,
    delta: { sessionCalls: n + 1 },
    outcomeBy: '2026-01-02T03:05:05.678Z',
    ...change,
  };
}

export function outcomeDraft(n: number, receipt: ReceiptBody, change: Partial<OutcomeDraft> = {}): OutcomeDraft {
  return {
    receipt,
    id: uuid(n),
    time: '2026-01-02T03:04:06.000Z',
    status: 'ok',
    code: 200,
    durationMs: 12,
    response: Buffer.from('{"rows":3}'),
    findings: [{ rule: 'R901', evidence: [{ path: '/content', start: 1, end: 2 }] }],
    redactions: 0,
    ...change,
  };
}

export interface World {
  readonly disk: MemoryDisk;
  readonly log: Log;
  readonly recorder: ReceiptRecorder;
  readonly sealer: Sealer & Opener;
}

export async function openWorld(signing: 'batch' | 'each' = 'batch', disk: MemoryDisk = createMemoryDisk()): Promise<World> {
  const log = await openLog({ storage: createMemoryStorage(disk), origin: ORIGIN, noteSigner: { name: ORIGIN, signer: logSigner } });
  const random = seededRandom(`world ${log.size}`);
  const sealer = testSealer(random);
  const common = { log, random, sealer, durability: 'synced', coverage: 'L2' } as const;
  const recorder = await createRecorder(signing === 'each' ? { ...common, signing, signer: receiptSigner } : { ...common, signing });
  return { disk, log, recorder, sealer };
}

/** A bundle with everything disclosed that there is. */
export async function fullBundle({ log, recorder, sealer }: World, id: string): Promise<Uint8Array> {
  const record = await recorder.find(id);
  if (record === undefined) throw new Error(`no entry ${id}`);
  const inputs = disclose(record, { log: ORIGIN, id, opener: sealer });
  if (!inputs.ok) throw new Error(inputs.error.code);
  const isReceipt = 'salts' in inputs.value;
  return makeBundle({ log, index: record.index, inputs: inputs.value, ...(isReceipt ? { documents: { policy, rules } } : {}) });
}
