/**
 * @module Who signed a transfer of USDC (EIP-3009 `TransferWithAuthorization`, EIP-712). Only the engine file holds this: the curve is noble's, and a
 * process that judges nothing has no use for it.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 as keccak } from '@noble/hashes/sha3.js';
import type { SignedTransfer } from '@countersign/policy';

interface Domain {
  readonly chain: bigint;
  readonly contract: string;
  readonly name: string;
}

const usdc = (chain: bigint, contract: string, name = 'USD Coin'): Domain => ({ chain, contract, name });

/** USDC where it takes signed transfers, by the names that x402 gives the chains. */
const DOMAINS: ReadonlyMap<string, Domain> = new Map([
  ['ethereum', usdc(1n, 'a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48')],
  ['base', usdc(8453n, '833589fcd6edb6e08f4c7c32d4f71b54bda02913')],
  ['polygon', usdc(137n, '3c499c542cef5e3811e1192ce70d8cc03d5c3359')],
  ['arbitrum', usdc(42_161n, 'af88d065e77c8cc2239327c5edb3a432268e5831')],
  ['optimism', usdc(10n, '0b2c639c533813f4aa9d7837caf62653d097ff85')],
  ['avalanche', usdc(43_114n, 'b97ef9ec8734c71904d8002f8b6bc66dd9c48a6e')],
  ['base-sepolia', usdc(84_532n, '036cbd53842c5426634e7929541ec2318f3dcf7e', 'USDC')],
]);

/** All of these texts are ASCII. */
const text = (value: string): Uint8Array => Uint8Array.from(value, (char) => char.charCodeAt(0));
const TRANSFER_TYPE = keccak(
  text('TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)'),
);
const DOMAIN_TYPE = keccak(text('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'));
const VERSION = keccak(text('2'));

function hexBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A value as one word of 32 bytes. */
function word(hex: string): Uint8Array {
  return hexBytes(hex.padStart(64, '0'));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** The domain separator of a token contract. */
export function domainSeparator(network: string): Uint8Array | undefined {
  const domain = DOMAINS.get(network) ?? [...DOMAINS.values()].find(({ chain }) => network === `eip155:${String(chain)}`);
  if (domain === undefined) return undefined;
  return keccak(joined([DOMAIN_TYPE, keccak(text(domain.name)), VERSION, word(domain.chain.toString(16)), word(domain.contract)]));
}

/** What is signed. */
function digestOf(transfer: SignedTransfer, domain: Uint8Array): Uint8Array {
  const { from, to, value, validAfter, validBefore, nonce } = transfer;
  const numbers = [value, BigInt(validAfter), BigInt(validBefore)].map((number) => word(number.toString(16)));
  const struct = keccak(joined([TRANSFER_TYPE, word(from), word(to), ...numbers, hexBytes(nonce)]));
  return keccak(joined([new Uint8Array([0x19, 0x01]), domain, struct]));
}

/** The address, 40 lower-case hex digits, that signed the transfer; undefined for a chain that is not known and a signature that is none. */
export function transferSigner(transfer: SignedTransfer): string | undefined {
  const domain = domainSeparator(transfer.network);
  if (domain === undefined) return undefined;
  const signature = hexBytes(transfer.signature);
  const v = signature[64] ?? 255;
  const recovery = v >= 27 ? v - 27 : v;
  if (recovery !== 0 && recovery !== 1) return undefined;
  try {
    const recovered = joined([new Uint8Array([recovery]), signature.subarray(0, 64)]);
    // The other half of each signature is the same signature again: contracts refuse it.
    if (secp256k1.Signature.fromBytes(recovered, 'recovered').hasHighS()) return undefined;
    const key = secp256k1.recoverPublicKey(recovered, digestOf(transfer, domain), { prehash: false });
    const point = secp256k1.Point.fromBytes(key).toBytes(false);
    return hexOf(keccak(point.subarray(1)).subarray(12));
  } catch {
    return undefined;
  }
}
