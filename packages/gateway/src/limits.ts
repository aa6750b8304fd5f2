/** @module Every limit of the gateway; each has a test at n and n + 1. */

export const GATEWAY_LIMITS = {
  /** Bytes of a request body, counted as they arrive, whatever `Content-Length` says. */
  bodyBytesMax: 1_048_576,
  /** Bytes of a request body at the operator door: policies are larger than actions. */
  operatorBodyBytesMax: 4_194_304,
  /** Bytes of a refused body that are read and thrown away, so that its sender gets to read the answer. */
  readOutBytesMax: 8_388_608,
  /** Connections at once; the next one is closed. */
  connectionsMax: 2048,
  /** From the first byte of a request to its last. */
  requestTimeoutMs: 30_000,
  headersTimeoutMs: 10_000,
  keepAliveTimeoutMs: 72_000,
  /** Bytes of the request line's path. */
  urlCharsMax: 2048,
  /** The door's own bound around everything it waits for; the pipeline's deadlines are shorter. */
  answerTimeoutMs: 15_000,
  forwardAnswerTimeoutMs: 65_000,
  toolNameCharsMax: 256,
  descriptionCharsMax: 65_536,
  schemaTextCharsMax: 262_144,
  delegationMembersMax: 64,
  memberCharsMax: 128,
  authorizedToolsMax: 100,
  authorizedToolCharsMax: 128,
  targetUrlCharsMax: 8192,
  tokenCharsMax: 8192,
  matchedRulesMax: 64,
  /** Response text above this counts as large where responses are inspected. */
  largeResponseBytes: 102_400,

  /** Between two frames of the live feed. */
  feedIntervalMs: 50,
  /** Events waiting for one subscriber; more are dropped and counted. */
  feedQueueMax: 1024,
  feedSubscribersMax: 1000,
  /** Bytes a subscriber may leave unread before nothing more is written to it. */
  feedUnreadBytesMax: 1_048_576,
  /** Bytes of a message from a subscriber; none is expected. */
  feedMessageBytesMax: 1024,

  /** Addresses in `X-Forwarded-For` that are read. */
  forwardedHopsMax: 32,
  /** Clients whose rate is remembered at the hushd door. */
  rateClientsMax: 10_000,
  /** Sessions that keys of the hushd door hold open. */
  hushdSessionsMax: 10_000,
  hushdSessionsPerKeyMax: 1000,
  hushdSessionSecondsMax: 86_400,
  /** Agents whose heartbeats are remembered. */
  hushdAgentsMax: 10_000,
  hushdTextCharsMax: 256,
  hushdTargetCharsMax: 65_536,
  /** Events that the hushd door keeps for whoever comes back with `Last-Event-ID`. */
  hushdEventsMax: 1024,
  hushdSubscribersMax: 256,
  /** Log entries looked at for one page of the audit. */
  auditScanMax: 10_000,
  auditPageMax: 1000,
  auditBatchMax: 100,
  /** Ids of audit events of others that are known as recorded. */
  auditIdsMax: 10_000,

  egressTimeoutMs: 30_000,
  egressResponseBytesMax: 1_048_576,
  egressRedirectsMax: 3,
  egressAddressesMax: 32,
  egressConnectionsPerOriginMax: 64,
} as const;
