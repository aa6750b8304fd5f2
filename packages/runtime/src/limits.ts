/** @module Every limit of the runtime; each has a test at n and n + 1. */

export const RUNTIME_LIMITS = {
  /** Worker threads that judge large actions. */
  poolWorkers: 1,
  /** Large actions under way or waiting at once; beyond it `engine_busy`. */
  poolJobsMax: 32,
  /** Bytes of an engine file. */
  engineBytesMax: 67_108_864,
  /** The built-in rule set as the build resolved it. */
  builtRulesBytesMax: 8_388_608,
  builtRulesNodesMax: 1_000_000,
  /** Between two publications of tiles and checkpoint, unless somebody waits for one. */
  publishPaceMs: 100,
  /** Paths of one file action that are looked up on disk; an action with more is refused, never looked at in part. */
  pathsMax: 256,
  /** Hosts in one host set of the user-level configuration. */
  hostSetHostsMax: 256,
  hostSetsBytesMax: 65_536,
  /** Keys that sign a checkpoint at once. */
  logKeysActiveMax: 4,
  /** Loaded engines kept for replay. */
  replayEnginesMax: 8,
} as const;
