/** @module Policy and rule documents of a data directory, each read and checked against its hash once. */
import { sha256Hex } from '@countersign/crypto';
import { canonicalize, err, type JsonValue, ok, parseJson, type Result } from '@countersign/kernel';
import { RECEIPT_LIMITS } from '@countersign/receipts';
import { CLI_LIMITS } from './limits.ts';
import { createRecentMap } from './recent-map.ts';

/** The document that a receipt names, or a sentence why it cannot be had. */
export type KeptDocuments = (name: 'policy' | 'rules', hash: string) => Result<JsonValue, string>;

function check(text: string | undefined, hash: string): JsonValue | undefined {
  const { bundleBytesMax, bundleDepthMax, bundleNodesMax } = RECEIPT_LIMITS;
  const parsed = parseJson(text ?? '', { bytesMax: bundleBytesMax, depthMax: bundleDepthMax, nodesMax: bundleNodesMax });
  if (!parsed.ok || parsed.value.exactNumbers.length > 0) return undefined;
  return sha256Hex(canonicalize(parsed.value.value)) === hash ? parsed.value.value : undefined;
}

/** Documents by hash; `read` gives the text that is kept under it. */
export function createKeptDocuments(read: (hash: string) => string | undefined): KeptDocuments {
  const known = createRecentMap<{ readonly kept: boolean; readonly value: JsonValue | undefined }>(CLI_LIMITS.replayKeptMax);
  return (name, hash) => {
    const { kept, value } = known.get(hash, () => {
      const text = read(hash);
      return { kept: text !== undefined, value: check(text, hash) };
    });
    if (value !== undefined) return ok(value);
    return err(
      kept
        ? `The ${name} document that is kept is not the one that the receipt names.`
        : `The ${name} document that the receipt names is not kept here.`,
    );
  };
}
