/** @module Every limit of the receipts, in one place; each has a test at n and n + 1. */

export const RECEIPT_LIMITS = {
  /** Characters of an org, agent, session, trace or delegation name; a longer one is logged as `sha256:` and its hash. */
  nameCharsMax: 128,
  /** Members of a delegation chain; of a longer one the first 15 and `cut:<count>`. */
  delegationMax: 16,
  kindCharsMax: 64,
  toolCharsMax: 128,
  /** JSON pointers in an action summary, and characters of each. */
  fieldsMax: 16,
  fieldCharsMax: 96,
  /** Nodes of params that are visited for the summary; what lies behind them is not listed. */
  fieldNodesMax: 4096,
  /** Bytes of JCS of a verdict as it is; a larger one is fitted. */
  verdictBytesMax: 9216,
  /** Bytes of JCS of an outcome's findings. */
  findingsBytesMax: 9216,
  findingsMax: 32,
  codeCharsMax: 96,
  factCharsMax: 32,
  pathCharsMax: 96,
  layersMax: 8,
  obligationsMax: 16,
  /** Composite of the scores of a verdict, in thousandths: nothing reaches it. */
  compositeMax: 9999,
  /** Receipts whose outcome is awaited and whose subject is remembered for it. */
  awaitedMax: 100_000,
  /** Bytes of a bundle, its nesting and its values. */
  bundleBytesMax: 33_554_432,
  bundleDepthMax: 80,
  bundleNodesMax: 2_000_000,
  /** Hashes of an inclusion proof: a tree of 2^53 entries. */
  proofHashesMax: 53,
  /** Bytes of a consistency file, and hashes of the proof in it. */
  consistencyBytesMax: 262_144,
  consistencyHashesMax: 64,
  /** Bundles of one session in one verification. */
  sessionBundlesMax: 100_000,
} as const;

/** Limits of files in formats of others. */
export const EXPORT_LIMITS = {
  /** Bytes of a DSSE envelope, a SignedReceipt or a tlog-proof. */
  fileBytesMax: 1_048_576,
  depthMax: 64,
  nodesMax: 100_000,
  /** Signatures of one DSSE envelope. */
  signaturesMax: 16,
  /** Characters of one text of a SignedReceipt that has a place of its own. */
  textCharsMax: 65_536,
  /** Violations of one SignedReceipt. */
  violationsMax: 1024,
  /** Bytes of a Spine file, characters of one of its lines, and envelopes in it. */
  spineBytesMax: 16_777_216,
  spineLineCharsMax: 262_144,
  spineEnvelopesMax: 10_000,
  /** Hashes of a tlog-proof. */
  tlogProofHashesMax: 63,
} as const;
