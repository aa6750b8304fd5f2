/** @module Making bundles: the entry, its proof under the newest checkpoint, and what its owner chooses to disclose. */
import { base64 } from '@countersign/crypto';
import { CodedError, err, getOwn, ok, parseJson, type Fault, type JsonObject, type JsonValue, type Result } from '@countersign/kernel';
import type { Log, LogRecord } from '@countersign/log';
import { BUNDLE_TYPE } from './bundle-form.ts';
import { jcs, utf8 } from './jcs.ts';
import { type Bundle, type BundleDocuments, digestOf, type Disclosure, readBundle } from './read-bundle.ts';
import { openContent, type SealedPlace } from './vault-record.ts';

export interface MakeBundleRequest {
  readonly log: Log;
  readonly index: number;
  readonly inputs?: Disclosure;
  readonly documents?: BundleDocuments;
}

/**
 * The bytes of a bundle for one durable entry, under the newest checkpoint; waits until one covers it.
 * @throws CodedError `bundle_entry_malformed` where the entry is not one of ours, or what the log throws.
 */
export async function makeBundle(request: MakeBundleRequest): Promise<Uint8Array> {
  const { log, index, inputs, documents } = request;
  const checkpoint = await log.whenPublished(index);
  const [entry, proof] = await Promise.all([log.readEntry(index), log.inclusionProof(index, checkpoint.size)]);
  const parsed = parseJson(entry);
  if (!parsed.ok)
    throw new CodedError({ code: 'bundle_entry_malformed', message: `entry ${index} is not JSON (\`${parsed.error.code}\`)` });
  const bundle = {
    type: BUNDLE_TYPE,
    entry: parsed.value.value,
    index,
    proof: proof.map((hash) => base64(hash)),
    checkpoint: checkpoint.note,
    ...(inputs === undefined ? {} : { inputs }),
    ...(documents === undefined ? {} : { documents }),
  };
  const digest = digestOf(bundle as unknown as Bundle); // Read back below, as a stranger would.
  const bytes = utf8(jcs(digest === undefined ? bundle : { ...bundle, digest }));
  // Checked again after writing: what leaves must be readable.
  const reread = readBundle(bytes);
  if (!reread.ok) throw new CodedError({ ...reread.error, code: 'bundle_entry_malformed' });
  return bytes;
}

function withoutEnvelope(content: JsonObject): JsonObject {
  const { v: _version, delta: _delta, ...rest } = content;
  return rest;
}

/** A session end, or an outcome without a response: there is nothing that a commitment ties down. */
function isEmpty(content: JsonObject): boolean {
  const hasOwn = (name: string): boolean => getOwn(content, name) !== undefined;
  return !hasOwn('action') && !hasOwn('erased') && typeof getOwn(content, 'response') !== 'string';
}

/** What was kept with an entry. */
export interface Unsealed {
  readonly inputs: Disclosure;
  /** The recorded change of state, as JSON. */
  readonly delta: JsonValue;
}

/**
 * Opens what was sealed with an entry; whoever verifies checks it against the commitments. Faults: `vault_empty` (nothing private was
 * recorded; make the bundle without inputs), `vault_malformed`, or what the opener throws: `vault_erased`, `seal_broken`, ...
 */
export function unseal(record: LogRecord, place: SealedPlace): Result<Unsealed, Fault> {
  const content = openContent(record, place);
  if (!content.ok) return content;
  if (isEmpty(content.value))
    return err({ code: 'vault_empty', message: 'nothing private was recorded with this entry', hint: 'export it without inputs' });
  // We sealed it; whoever verifies the bundle checks its form again.
  const inputs = withoutEnvelope(content.value) as unknown as Disclosure;
  return ok({ inputs, delta: getOwn(content.value, 'delta') ?? {} });
}

/** The same, for disclosure in a bundle. */
export function disclose(record: LogRecord, place: SealedPlace): Result<Disclosure, Fault> {
  const unsealed = unseal(record, place);
  return unsealed.ok ? ok(unsealed.value.inputs) : unsealed;
}
