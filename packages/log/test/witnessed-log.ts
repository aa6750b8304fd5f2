/** A log that can tell several stories, by the definitions of RFC 6962 alone: what a witness is tested with shares no code with it. */
import { base64, createSigner, noteVerifierKey, sha256, signNote, type Signer } from '@countersign/crypto';
import { checkpointText, type NoteSigner, type WitnessedTree } from '../src/index.ts';
import { utf8 } from './fixtures.ts';

export const ORIGIN = 'log.example/one';
export const signerOf = (seed: number): Signer => createSigner(new Uint8Array(32).fill(seed));
export const LOG_KEY: NoteSigner = { name: ORIGIN, signer: signerOf(1) };
export const LOG_VKEY: string = noteVerifierKey(ORIGIN, LOG_KEY.signer.publicKey);
export const WITNESS: NoteSigner = { name: 'witness.example/w1', signer: signerOf(50) };

/** Leaf hashes: the first `shared` are the same in every story. */
export function leaves(size: number, story: number = 0, shared: number = 0): readonly Uint8Array[] {
  return Array.from({ length: size }, (_, i) => sha256(Uint8Array.of(0, i < shared ? 0 : story, i >> 8, i & 255)));
}

function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** RFC 6962 section 2.1, word for word. */
export function treeHash(hashes: readonly Uint8Array[]): Uint8Array {
  const [first] = hashes;
  if (first === undefined) return sha256('');
  if (hashes.length === 1) return first;
  const k = split(hashes.length);
  return sha256(Buffer.concat([Uint8Array.of(1), treeHash(hashes.slice(0, k)), treeHash(hashes.slice(k))]));
}

function subproof(m: number, hashes: readonly Uint8Array[], whole: boolean): readonly Uint8Array[] {
  if (m === hashes.length) return whole ? [] : [treeHash(hashes)];
  const k = split(hashes.length);
  if (m <= k) return [...subproof(m, hashes.slice(0, k), whole), treeHash(hashes.slice(k))];
  return [...subproof(m - k, hashes.slice(k), false), treeHash(hashes.slice(0, k))];
}

/** RFC 6962 section 2.1.2, word for word; empty from 0, as a witness wants it. */
export function proofOf(hashes: readonly Uint8Array[], oldSize: number): readonly Uint8Array[] {
  return oldSize === 0 ? [] : subproof(oldSize, hashes, true);
}

export function treeOf(hashes: readonly Uint8Array[]): WitnessedTree {
  return { size: hashes.length, root: treeHash(hashes) };
}

/** A checkpoint over these leaves. */
export function noteOf(hashes: readonly Uint8Array[], by: NoteSigner = LOG_KEY, origin: string = ORIGIN): string {
  return signNote(checkpointText({ origin, ...treeOf(hashes) }), by);
}

export interface Body {
  readonly old: number | string;
  readonly proof?: readonly (Uint8Array | string)[];
  readonly note: string;
}

/** The body of an `add-checkpoint` request. */
export function bodyOf({ old, proof = [], note }: Body): Uint8Array {
  const lines = proof.map((hash) => `${typeof hash === 'string' ? hash : base64(hash)}\n`);
  return utf8(`old ${old}\n${lines.join('')}\n${note}`);
}

/** An honest request: from `oldSize` of these leaves to all of them. */
export function honest(hashes: readonly Uint8Array[], oldSize: number): Uint8Array {
  return bodyOf({ old: oldSize, proof: proofOf(hashes, oldSize), note: noteOf(hashes) });
}
