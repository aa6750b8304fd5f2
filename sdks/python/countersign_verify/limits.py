"""Every limit of the verifier, in one place. They are part of the format: spec/bundle.md, spec/receipt.md."""

BUNDLE_BYTES_MAX = 33_554_432
CONSISTENCY_BYTES_MAX = 262_144
#: Nested containers, and values and keys, of a bundle or a consistency file.
FILE_DEPTH_MAX = 80
FILE_NODES_MAX = 2_000_000
#: Where a caller of the JSON reader gives none.
JSON_BYTES_MAX = 1_048_576
JSON_DEPTH_MAX = 64
JSON_NODES_MAX = 200_000
#: Characters of all pointers to numbers that no double holds.
EXACT_POINTERS_CHARS_MAX = 65_536
#: Characters of the pointer in a fault; the rest is cut.
FAULT_PATH_CHARS_MAX = 256

INCLUSION_HASHES_MAX = 53
CONSISTENCY_HASHES_MAX = 64
CHECKPOINT_CHARS_MAX = 65_536
NOTE_CHARS_MAX = 1_000_000
NOTE_SIGNATURES_MAX = 100
VERIFIER_KEY_CHARS_MAX = 1024
SESSION_BUNDLES_MAX = 100_000
#: Indexes, sizes and counters: whole numbers that a double holds.
COUNT_MAX = 9_007_199_254_740_991
#: POSIX seconds of a cosignature.
COSIGNATURE_SECONDS_MAX = 9_223_372_036_854_775_807

ENTRY_BYTES_MAX = 16_384
ENTRY_SIGNATURES_MAX = 4
LOG_CHARS_MAX = 256
NAME_CHARS_MAX = 128
DELEGATION_MAX = 16
KIND_CHARS_MAX = 64
TOOL_CHARS_MAX = 128
FIELDS_MAX = 16
FIELD_CHARS_MAX = 96
REASONS_MAX = 32
REASON_CHARS_MAX = 160
EVIDENCE_MAX = 8
LAYERS_MAX = 64
OBLIGATIONS_MAX = 256
#: The most that each of the six dimensions of the scores of a verdict can be, and their composite.
DIMENSIONS_MAX = (3, 3, 3, 2, 2, 3000)
COMPOSITE_MAX = 9999
FINDINGS_MAX = 32
LOG_KEYS_MAX = 4
