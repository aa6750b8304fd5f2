/** @module Every limit of asking outside; each has a test at n and n + 1. */

export const INTEL_LIMITS = {
  /** Bytes of one question and of one answer. */
  requestBytesMax: 1_048_576,
  answerBytesMax: 10_485_760,
  /** Values and keys of one answer, and how deep they are nested. */
  answerNodesMax: 500_000,
  answerDepthMax: 64,
  /** Bytes of the header of an answer. */
  answerHeaderBytesMax: 16_384,
  /** Connections to one source at once, and questions that wait or are under way; one more is unavailable at once. */
  connectionsMax: 8,
  questionsMax: 256,
  /** Characters of a URL that is asked about. */
  urlCharsMax: 8192,
  /** Kinds of threats that one answer may name. */
  threatTypesMax: 16,
  threatTypeCharsMax: 64,
  /** Findings of one answer; one with more is not read. */
  vulnerabilitiesMax: 20_000,
  /** Bytes of a guard package's manifest and of its module. */
  manifestBytesMax: 65_536,
  moduleBytesMax: 16_777_216,
  /** Entries of one list and keys of one manifest. */
  manifestEntriesMax: 256,
  manifestCharsMax: 1024,
  guardsMax: 16,
  /** Of memory and time that a package may ask for. */
  memoryMbMax: 1024,
  timeMsMax: 300_000,
  /** Elements of all tables of a module. */
  tableElementsMax: 65_536,
  /** Parts of a module that are counted before it is compiled. */
  moduleItemsMax: 100_000,
  /** Bytes of what a guard is given and of what it answers. */
  guardInputBytesMax: 1_048_576,
  guardOutputBytesMax: 16_384,
  guardMessageCharsMax: 512,
  /** Calls of one guard under way or waiting; one more is refused. */
  guardCallsMax: 64,
  /** Until a module must have been compiled. */
  guardStartMs: 30_000,
  /** JavaScript heap of a guard's thread, beside the memory of its module. */
  guardHeapMb: 64,
  guardStackMb: 4,
} as const;
