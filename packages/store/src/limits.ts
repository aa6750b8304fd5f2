/** @module Every limit of the store; each has a test at n and n + 1. */

export const STORE_LIMITS = {
  agentNameCharsMax: 128,
  labelCharsMax: 128,
  reasonCharsMax: 256,
  toolNameCharsMax: 256,
  scopeCharsMax: 128,
  /** Characters of all scopes of one agent together: they must fit the 4 KB state slice of the judge. */
  scopesCharsMax: 3072,
  scopesMax: 64,
  /** Tools seen and not yet approved, per org; beyond it a new tool stays unknown, which is no laxer. */
  pendingToolsPerOrgMax: 10_000,
  policySourceCharsMax: 1_048_576,
  documentCharsMax: 8_388_608,
  pageMax: 1000,
  /** Entries of each in-process cache. */
  cacheEntriesMax: 65_536,
  /** Sessions and tools of one log staged and not yet written; beyond it reads fail and so every decision of its orgs is a deny. */
  stagedMax: 65_536,
  /** Bytes of a key file. */
  keyFileBytesMax: 4096,
  /** Messages sealed under one derived key. */
  sealsPerKeyMax: 0xffff_ffff,
  /** Derived keys remembered while opening. */
  openKeysMax: 1024,
  /** Subjects whose sealing key is remembered. */
  sealingKeysMax: 16_384,
  /** Characters of a subject that can be erased. */
  subjectCharsMax: 1024,
  /** How long a locked database file is waited for. */
  busyTimeoutMs: 200,
  /** Consumed ids are forgotten this long after they expired: a clock that jumps back must not revive one. */
  consumedGraceMs: 86_400_000,
  /** Expired ids deleted with each one that is consumed. */
  consumedPurgeMax: 4,
  /** Between write-backs of staged deltas. */
  writeBackMs: 250,
  /** Logs that one witness knows. */
  witnessLogsMax: 256,
  /** Keys of one log that a witness trusts at once; a log signs with at most four. */
  witnessKeysPerLogMax: 8,
  /** Characters of an origin, and of a witness's name. */
  witnessOriginCharsMax: 255,
} as const;
