/** What the vectors of bundles are made of: their form, the keys they trust, and changing one member of a file. */
import { canonicalize, type JsonValue } from '@countersign/kernel';
import type { Trust } from '../src/index.ts';
import { trust } from './fixtures.ts';

export interface VectorTrust {
  readonly vkeys: readonly string[];
  readonly receiptKeys: readonly string[];
  readonly witnessKeys?: readonly string[];
  readonly quorum?: number;
}

/** A consistency file, as text. */
export interface ConsistencyVector {
  readonly name: string;
  readonly file: string;
  readonly trust: VectorTrust;
  /** A checkpoint that the verifier saw before. */
  readonly seen?: string;
  /** `checks`: `name status code` of those that must be among the reported. */
  readonly expect: { readonly ok: boolean; readonly checks: readonly string[] };
}

export interface BundleVector {
  readonly name: string;
  /** Files, each as text. One: a bundle. Several: the chain of a session. */
  readonly bundles: readonly string[];
  readonly trust: VectorTrust;
  /** What a verifier of a session gives as the time. */
  readonly now?: string;
  readonly ok: boolean;
  /** `name status code` of the checks that matter; of a session, of its chain and outcomes. */
  readonly expect: readonly string[];
}

export type Members = Record<string, JsonValue>;

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

export function edit(bundle: string, change: (members: Members) => void): string {
  const members = JSON.parse(bundle) as Members;
  change(members);
  return canonicalize(members);
}

function trustOf({ vkeys, receiptKeys = [] }: Trust): VectorTrust {
  return { vkeys, receiptKeys };
}

export const TRUST = trustOf(trust);
export function good(name: string, bundles: readonly string[], expect: readonly string[]): BundleVector {
  return { name, bundles, trust: TRUST, ok: true, expect };
}

export function bad(name: string, bundles: readonly string[], expect: readonly string[]): BundleVector {
  return { name, bundles, trust: TRUST, ok: false, expect };
}
