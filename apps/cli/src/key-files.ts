/** @module Ed25519 keys of files: PEM as `openssl` writes it, or the 64 hex digits of the 32 bytes. A key never stands on the command line. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { createSigner, type Signer } from '@countersign/crypto';
import type { Context } from './command.ts';
import { readText } from './documents.ts';
import { configError } from './outcome.ts';

const HEX_KEY = /^[0-9a-f]{64}$/;

function invalid(path: string, what: string): Error {
  return configError([
    {
      code: 'key_file_invalid',
      message: `this is no Ed25519 ${what} key`,
      path,
      hint: 'make one with `openssl genpkey -algorithm ed25519 -out key.pem`',
    },
  ]);
}

/** The last 32 bytes of the DER form are the key itself (RFC 8410). */
function fromPem(text: string, what: 'private' | 'public'): Uint8Array | undefined {
  try {
    const key = what === 'private' ? createPrivateKey(text) : createPublicKey(text);
    if (key.asymmetricKeyType !== 'ed25519') return undefined;
    const der = what === 'private' ? key.export({ format: 'der', type: 'pkcs8' }) : key.export({ format: 'der', type: 'spki' });
    return new Uint8Array(der.subarray(-32));
  } catch {
    return undefined;
  }
}

/** A signer from a private key file. @throws {CliError} exit 3. */
export async function readSigner(path: string, context: Context): Promise<Signer> {
  const text = (await readText(path, context)).trim();
  const seed = HEX_KEY.test(text) ? new Uint8Array(Buffer.from(text, 'hex')) : fromPem(text, 'private');
  if (seed === undefined) throw invalid(path, 'private');
  return createSigner(seed);
}

/** A public key in hex, given as such or as a file of it. @throws {CliError} exit 3. */
export async function readPin(given: string, context: Context): Promise<string> {
  if (HEX_KEY.test(given)) return given;
  const text = (await readText(given, context)).trim();
  if (HEX_KEY.test(text)) return text;
  // The public half could be had from a private key too; who pins should not hold one.
  const bytes = text.includes('PUBLIC KEY') ? fromPem(text, 'public') : undefined;
  if (bytes === undefined) throw invalid(given, 'public');
  return Buffer.from(bytes).toString('hex');
}
