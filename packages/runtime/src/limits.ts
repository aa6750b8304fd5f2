/** @module Every limit of the runtime; each has a test at n and n + 1. */

export const RUNTIME_LIMITS = {
  /** Worker threads that judge large actions. */
  poolWorkers: 1,
  /** Large actions under way or waiting at once; beyond it `engine_busy`. */
  poolJobsMax: 32,
  /** Bytes of an engine file. */
  engineBytesMax: 67_108_864,
  /** Started engines that a process keeps. */
  enginesKept: 4,
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
  /** Keys that may sign policies, and the file of them. */
  policySignersMax: 64,
  policySignersBytesMax: 65_536,
  /** Milliseconds that one request for a policy document may take, and one command of git. */
  policyFetchMs: 15_000,
  policyGitMs: 60_000,
  policyRedirectsMax: 3,
  /** Bytes of fetched policy documents that are kept. */
  policyCacheBytesMax: 104_857_600,
  /** Logs of one installation, `main` among them. */
  logsMax: 16,
  logNameCharsMax: 32,
  /** Characters of an origin that was chosen. */
  logOriginCharsMax: 255,
  /** Keys that sign a checkpoint at once. */
  logKeysActiveMax: 4,
  /** Rule documents of the operator, and UTF-8 bytes of one. */
  rulePacksMax: 256,
  ruleFileBytesMax: 4_194_304,
  /** Loaded engines kept for replay. */
  replayEnginesMax: 8,
  /** Tries to copy a database that another process is writing. */
  copyAttemptsMax: 32,
  /** Connections to a witness at once; a further one is closed. */
  witnessConnectionsMax: 256,
  /** Until a request of a witness's client must have arrived whole. */
  witnessRequestMs: 10_000,
  /** Until a connection that asks nothing is closed. */
  witnessIdleMs: 60_000,
  /** Bytes that a witness reads and throws away so that a client with too long a request still hears why; then it hangs up. */
  witnessDrainBytesMax: 1_048_576,
  /** Header bytes of a request to a witness. */
  witnessHeaderBytesMax: 8192,
  /** Until open requests are cut off when a witness stops. */
  witnessStopMs: 2000,
  /** Witnesses that one log asks. */
  witnessesMax: 16,
  witnessesBytesMax: 65_536,
  witnessUrlCharsMax: 2048,
  /** Until a publication goes on without the witnesses that have not answered. */
  cosignMs: 5000,
  /** Requests to one witness for one checkpoint: sizes that it names are followed this often. */
  witnessAsksMax: 4,
  /** Bytes of a witness's answer. */
  witnessAnswerBytesMax: 16_384,
  /** How long a witness that failed is left alone: at first, and at most; doubled in between. */
  witnessPauseMsMin: 1000,
  witnessPauseMsMax: 300_000,
  /** Between two looks at a watched policy file that nobody was told of. */
  policyPollMs: 500,
  /** How long the bytes of a policy file must stand still before they are taken. */
  policyRestMs: 100,
  /** Looks after which a host or repository that did not answer is asked again. */
  policyRetryPolls: 60,
} as const;
