/** @module Every limit of the policy room, in one place; each has a test at n and n + 1. */

export const POLICY_LIMITS = {
  /** UTF-8 bytes of one policy document. */
  documentBytesMax: 262_144,
  /** Nested mappings and lists of one document. */
  depthMax: 16,
  /** Keys, values and items of one document, aliases counted each time they are followed. */
  nodesMax: 10_000,
  /** Lines, commas, brackets and dashes of one document, counted before it is read: twice as many as values. */
  marksMax: 20_000,
  /** Entries of one list. */
  listMax: 1024,
  /** Characters of one name, path, tool or host entry. */
  entryCharsMax: 512,
  /** Characters of a rule id, as in rule documents. */
  ruleIdCharsMax: 64,
  /** Characters of the name of a posture state: two of them stand in one reason of the log. */
  postureNameCharsMax: 48,
  /** States of a posture. */
  postureStatesMax: 64,
  /** Transitions of a posture: a check may follow as many timeouts. */
  postureTransitionsMax: 128,
  /** Rule ids and categories that one `pattern_match` names. */
  posturePatternsMax: 64,
  /** Seconds of one duration: a year. */
  durationSecondsMax: 31_536_000,
  /** Characters of a name or a description. */
  textCharsMax: 1024,
  /** Documents from a child to its last ancestor. */
  extendsDepthMax: 32,
  /** Bytes of one document that is fetched for `extends`, before it is read. */
  fetchBytesMax: 1_048_576,
  /** Bytes of all documents that are fetched for one policy. */
  extendsBytesMax: 524_288,
  /** Bytes of one signed bundle. */
  bundleBytesMax: 4_194_304,
  /** Pairs of boundaries that are held against each other for `attenuate_only`. */
  attenuationPairsMax: 65_536,
  /** Faults reported at once. */
  faultsMax: 100,
  /** Alternatives one `{a,b}` host pattern may stand for. */
  globBranchesMax: 64,
  /** Hosts that all patterns of one list stand for. */
  globListBranchesMax: 16_384,
  /** Characters of a path that is matched; a longer one is refused. */
  pathCharsMax: 4096,
  /** Characters of a working directory that `cd` builds up; a longer one is forgotten until the next absolute `cd`. */
  directoryCharsMax: 1024,
  /** Characters of a host that is matched (RFC 1035: 253); a longer one is refused. */
  hostCharsMax: 255,
  /** Characters of one regular expression. */
  regexCharsMax: 1024,
  /** Nested groups of one regular expression. */
  regexDepthMax: 32,
  /** Largest count in `{n,m}`. */
  regexRepeatMax: 1000,
  /** Instructions one regular expression compiles to. */
  regexInstructionsMax: 4000,
  /** Instructions of all regular expressions of one guard. */
  regexSetInstructionsMax: 40_000,
  /** Looping positions of one regular expression that are checked for ambiguity. */
  regexLoopMax: 256,
  /** Pairs of moves the ambiguity check follows. */
  regexPairEdgesMax: 500_000,
  /** Automaton states kept before the cache starts over. */
  regexStatesMax: 2000,
  /** Characters that one reported match reaches back and forward. */
  regexMatchCharsMax: 4096,
  /** Matches of one expression in one text that are reported. */
  regexHitsMax: 8,
  /** Matcher steps one evaluation may spend; beyond it the guard blocks. */
  scanStepsMax: 64_000_000,
  /** Largest `max_args_size` a policy may set, bytes. */
  argsBytesMax: 16_777_216,
  /** Spans one guard reports. */
  evidenceMax: 8,
  /** Matches one guard lists in its details. */
  matchesMax: 32,
  /** Characters of a quoted input in a message. */
  quoteCharsMax: 200,
  /** Payments of one agent that are remembered because they may not come again; beyond it the next is refused. */
  paidMax: 32,
  /** Characters of a label that stands in the code of a reason. */
  labelCharsMax: 40,
  /** Characters of one Cedar text or schema. */
  cedarTextCharsMax: 65_536,
  /** Policies of one section `cedar`, in all its texts. */
  cedarPoliciesMax: 2048,
  /** Nested brackets of a Cedar text. */
  cedarDepthMax: 48,
  /** Prepared sets of one section `cedar`, by action and tool; beyond it all policies are asked at once. */
  cedarShardsMax: 1024,
  /** Arguments of the command of one event. */
  eventArgsMax: 10_000,
  /** UTF-8 bytes of one event, and of the line it stands in. */
  eventBytesMax: 1_048_576,
  /** Patterns of one database, numbers of one pattern, and numbers of all of them: what one action is held against. */
  patternsMax: 1024,
  patternDimensionMax: 4096,
  patternComponentsMax: 1_048_576,
  /** Characters of the packed vectors of a database: base64 of two bytes a number. */
  patternVectorsCharsMax: 2_796_204,
  /** Characters of a pattern's id and category. */
  patternIdCharsMax: 128,
  /** Largest `top_k`. */
  patternTopMax: 64,
  /** Bytes of a file with patterns, and of one with keys or a manifest. */
  patternFileBytesMax: 33_554_432,
  trustFileBytesMax: 1_048_576,
  /** Keys of one trust store. */
  trustedKeysMax: 256,
  /** Characters of one piece of text that is turned into a vector, and pieces of one action; a longer text is not screened, which denies. */
  screenCharsMax: 2048,
  screenPiecesMax: 32,
  /** Tests of one suite document. */
  suiteTestsMax: 1000,
  /** Profiles of one section `origins`. */
  originProfilesMax: 256,
  /** Tags of one origin that a client names. */
  originTagsMax: 64,
  /** Hex digits by which a session remembers its place. */
  originPlaceChars: 32,
  /** `max_args_size` of a profile that says none, bytes. */
  originArgsBytes: 1_048_576,
  /** Providers of one section `broker`. */
  brokerProvidersMax: 256,
  /** Characters of the canonical JSON that a policy gives a guard package. */
  guardConfigCharsMax: 16_384,
  /** Characters of a URL that outside sources are asked about; below what facts read of one, so that none is asked about in part. */
  askedUrlCharsMax: 2000,
  /** Characters of what a guard package says of an action. */
  guardMessageCharsMax: 512,
} as const;
