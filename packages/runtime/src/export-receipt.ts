/** @module One entry of the log in a format of others, signed with the key that signs receipts of this installation. */
import type { Signer } from '@countersign/crypto';
import { type Fault, ok, type Result } from '@countersign/kernel';
import type { Log } from '@countersign/log';
import { type Bundle, makeBundle, readBundle } from '@countersign/receipts';
import {
  exportDsse,
  type ExportFormat,
  exportSignedReceipt,
  exportSpine,
  exportTlogProof,
  readSession,
} from '@countersign/receipts/exports';

export { EXPORT_FORMATS, type ExportFormat } from '@countersign/receipts/exports';

interface Source {
  readonly log: Log;
  /** Place of the entry in the log. */
  readonly index: number;
  readonly signer: Signer;
}

type Write = (bundle: Bundle, source: Source) => Promise<Result<Uint8Array, Fault>> | Result<Uint8Array, Fault>;

const WRITERS: Readonly<Record<ExportFormat, Write>> = {
  dsse: ({ entry }, { signer }) => ok(exportDsse(entry.body, [signer])),
  'signed-receipt': ({ entry }, { signer }) => exportSignedReceipt(entry.body, signer),
  spine: async ({ index }, { log, signer }) => {
    const session = await readSession(log, index);
    return session.ok ? exportSpine(session.value, signer) : session;
  },
  'tlog-proof': (bundle) => ok(exportTlogProof(bundle)),
};

/**
 * The bytes of an export; `spine` is the session up to the entry. Nothing that was sealed is in any of them.
 * Faults: those of the format.
 * @throws CodedError what reading the log throws.
 */
export async function exportReceipt(source: Source, format: ExportFormat): Promise<Result<Uint8Array, Fault>> {
  const bundle = readBundle(await makeBundle({ log: source.log, index: source.index }));
  return bundle.ok ? WRITERS[format](bundle.value, source) : bundle;
}
