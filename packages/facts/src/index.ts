/** @module From an action to what it means: leaves and layers, commands, statements, paths, hosts, secrets and personal data. */
export { readAddress, type Address } from './addresses.ts';
export { countInvisible } from './decode-invisible.ts';
export { placeOf } from './effect-places.ts';
export { FACTS_LIMITS } from './limits.ts';
export { normalizePath, type NormalizedPath } from './normalize-path.ts';
export { createParsers, type ParserBytes, type Parsers } from './parsers.ts';
export { weighProse } from './prose.ts';
export { PROSE_BUCKET_BITS, ProseWords } from './prose-words.ts';
export { readAuthority, readHost, readUrl, type ReadHost, type ReadUrl } from './read-host.ts';
export { shellOutline, type OutlineCommand, type OutlinePiece } from './shell-outline.ts';
export { PROSE_WINDOW_WORDS, type ProseModel } from './text-classifier.ts';
export { PROSE_MODEL } from './text-classifier-weights.ts';
export { createUnderstanding, type Understanding } from './understand.ts';
