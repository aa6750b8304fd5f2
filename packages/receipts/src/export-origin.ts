/**
 * @module `enclave` and `origin` of `metadata.clawdstrike` in an exported receipt, as far as the receipt itself says it: the profile that the action was
 * judged by, and that its origin was asserted. What was said of the place was sealed, and an export holds nothing that was.
 */
import type { JsonObject } from '@countersign/kernel';
import type { ReceiptBody } from '@countersign/protocol';

const JUDGED = /^origin judged as (?:profile (\S{1,64})|the minimal profile) \((space_id|match_rules|default)\)/;

/** Empty where no profile was found. */
export function enclaveMetadata({ verdict }: ReceiptBody): JsonObject {
  const said = verdict.reasons.find(({ code }) => code === 'guard.origin.asserted');
  const found = said === undefined ? null : JUDGED.exec(said.text);
  if (found === null) return {};
  const [, profile, path = ''] = found;
  return { enclave: { profile_id: profile ?? null, resolution_path: path }, origin: { provenance: 'asserted' } };
}
