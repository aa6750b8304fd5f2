/** @module Every limit of asking the outside; each has a test at n and n + 1. */

export const INTEL_LIMITS = {
  /** Questions of one guard under way at once; a further one has no answer (`overloaded`). */
  asksMax: 64,
  /** UTF-8 bytes of one request, and of one answer after it was unpacked. */
  requestBytesMax: 1_048_576,
  answerBytesMax: 10_485_760,
  /** Values of one answer. */
  answerNodesMax: 400_000,
  answerDepthMax: 32,
  /** Answers that one guard keeps, whatever they weigh. */
  cachedMax: 65_536,
  /** Kinds of threats that one answer may name, and characters of one. */
  threatTypesMax: 16,
  threatTypeCharsMax: 64,
  /** Vulnerabilities of one answer; one with more is not read. */
  vulnerabilitiesMax: 20_000,
  /** Bytes of a guard package's manifest, entries and keys in it, and characters of one string. */
  manifestBytesMax: 65_536,
  manifestEntriesMax: 256,
  manifestCharsMax: 1024,
  /** Guards of one package. */
  guardsMax: 16,
  /** Memory and time that a package may ask for. */
  memoryMbMax: 1024,
  timeMsMax: 300_000,
  /** Bytes of one module; elements of all its tables; parts of one kind that are counted before it is compiled. */
  moduleBytesMax: 16_777_216,
  tableElementsMax: 65_536,
  moduleItemsMax: 100_000,
  /** UTF-8 bytes of what a guard is given and of what it answers. */
  guardInputBytesMax: 2_097_152,
  guardOutputBytesMax: 16_384,
  /** Characters of what a guard says that are kept. */
  guardMessageCharsMax: 512,
  /** Calls of one guard under way or waiting; a further one is refused. */
  guardCallsMax: 64,
  /** Until a module must have been compiled. */
  guardStartMs: 30_000,
  /** JavaScript heap and stack of a guard's thread, beside the memory of its module. */
  guardHeapMb: 64,
  guardStackMb: 4,
} as const;
