/** Against what the contracts themselves say: the separator of USDC on Ethereum, and the address of the smallest key. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 as keccak } from '@noble/hashes/sha3.js';
import { describe, expect, it } from 'vitest';
import type { SignedTransfer } from '@countersign/policy';
import { domainSeparator, transferSigner } from '../src/transfer-signature.ts';

const KEY = new Uint8Array(32);
KEY[31] = 1;
/** The address of the key 1, as every wallet shows it. */
const OWNER = '7e5f4552091a69125d5dfcb7b8c2659029395bdf';
const UNSIGNED = {
  network: 'ethereum',
  from: OWNER,
  to: 'b'.repeat(40),
  value: 1_000_000n,
  validAfter: 1_800_000_000,
  validBefore: 1_800_000_300,
  nonce: '1'.repeat(64),
};

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const word = (value: bigint | string): string => (typeof value === 'string' ? value : value.toString(16)).padStart(64, '0');

/** The digest, put together a second time: from hex, and with the type hash that the contract publishes. */
function digest(transfer: typeof UNSIGNED, separator: Uint8Array): Uint8Array {
  const type = '7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267';
  const { from, to, value, validAfter, validBefore, nonce } = transfer;
  const words = [type, word(from), word(to), word(value), word(BigInt(validAfter)), word(BigInt(validBefore)), nonce];
  const struct = Buffer.from(keccak(bytes(words.join('')))).toString('hex');
  return keccak(bytes(`1901${Buffer.from(separator).toString('hex')}${struct}`));
}

function sign(transfer: typeof UNSIGNED, v = 27): string {
  const separator = domainSeparator(transfer.network);
  if (separator === undefined) throw new Error('no such chain');
  const signature = secp256k1.sign(digest(transfer, separator), KEY, { prehash: false, format: 'recovered' });
  return `${Buffer.from(signature.subarray(1)).toString('hex')}${((signature[0] ?? 9) + v).toString(16).padStart(2, '0')}`;
}

const signed = (change: Partial<SignedTransfer> = {}): SignedTransfer => ({ ...UNSIGNED, signature: sign(UNSIGNED), ...change });

describe('POL-265 the signer of a transfer', () => {
  it('has the domain separator that USDC on Ethereum has', () => {
    const separator = Buffer.from(domainSeparator('ethereum') ?? []).toString('hex');
    expect(separator).toBe('06c37168a7db5138defc7866392bb87a741f9b3d104deb5094588ce041cae335');
    expect(domainSeparator('eip155:1')).toEqual(domainSeparator('ethereum'));
  });

  it('is the owner of the key, in both spellings of the last byte', () => {
    expect(transferSigner(signed())).toBe(OWNER);
    expect(transferSigner(signed({ signature: sign(UNSIGNED, 0) }))).toBe(OWNER);
  });

  it.each<[string, Partial<SignedTransfer>]>([
    ['amount', { value: 1_000_001n }],
    ['receiver', { to: 'c'.repeat(40) }],
    ['nonce', { nonce: '2'.repeat(64) }],
    ['start', { validAfter: 1_800_000_001 }],
    ['end', { validBefore: 1_800_000_301 }],
    ['chain', { network: 'base' }],
  ])('is somebody else when the %s is not what was signed', (_what, change) => {
    expect(transferSigner(signed(change))).not.toBe(OWNER);
  });

  it('is nobody for an unknown chain, a signature that is none, and the other half of one', () => {
    const half = (): string => {
      const signature = sign(UNSIGNED);
      const order = secp256k1.Point.Fn.ORDER;
      const s = (order - BigInt(`0x${signature.slice(64, 128)}`)).toString(16).padStart(64, '0');
      return `${signature.slice(0, 64)}${s}${signature.endsWith('1b') ? '1c' : '1b'}`;
    };
    expect(transferSigner(signed({ network: 'solana' }))).toBeUndefined();
    for (const signature of ['', '0'.repeat(130), 'f'.repeat(130), `${sign(UNSIGNED).slice(0, 128)}1d`, half()])
      expect(transferSigner(signed({ signature }))).toBeUndefined();
  });

  it.each(['base', 'polygon', 'arbitrum', 'optimism', 'avalanche', 'base-sepolia'])('knows %s as a chain of its own', (network) => {
    const there = { ...UNSIGNED, network };
    expect(transferSigner({ ...there, signature: sign(there) })).toBe(OWNER);
    expect(domainSeparator(network)).not.toEqual(domainSeparator('ethereum'));
  });
});
