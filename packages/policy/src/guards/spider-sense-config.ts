/**
 * @module What a policy says of screening by meaning: which texts are known to be bad (a database of vectors), which server turns the text of
 * an action into a vector, and how near is too near. Names and defaults are those of Clawdstrike 0.2.7.
 */
import { type Field, list, shape, type Shape, text, whole, wordsOf } from '../field-shapes.ts';
import { POLICY_LIMITS } from '../limits.ts';
import {
  ASYNC_DEFAULTS,
  ASYNC_FIELDS,
  type AsyncProblem,
  asyncProblems,
  type AsyncSettings,
  mergeAsync,
  resolvedAsync,
  type WrittenAsync,
} from './async-settings.ts';

export const PATTERN_STAGES = ['perception', 'cognition', 'action', 'feedback'] as const;
export type PatternStage = (typeof PATTERN_STAGES)[number];

export interface PatternName {
  readonly id: string;
  readonly category: string;
  readonly stage: PatternStage;
  readonly label: string;
}

/** One entry as databases hold it. */
export interface WrittenPattern extends PatternName {
  readonly embedding: readonly number[];
}

/** A database that was verified, as it stands in a resolved policy: what a replay judges by. */
export interface PatternDatabase {
  readonly version: string;
  /** Lower-case hex SHA-256 of the file that it was read from; of `vectors` where the policy itself lists the patterns. */
  readonly checksum: string;
  readonly dimension: number;
  readonly patterns: readonly PatternName[];
  /** Base64 of 16-bit integers, little endian, pattern by pattern: each vector scaled so that its greatest component is 32767. */
  readonly vectors: string;
}

export type KeyStatus = 'active' | 'deprecated' | 'revoked';

/** A key that may sign databases or manifests. */
export interface TrustedKey {
  /** First 16 hex digits of the SHA-256 of the key's lower-case hex text. */
  readonly key_id?: string;
  /** 64 hex digits. */
  readonly public_key: string;
  readonly not_before?: string;
  readonly not_after?: string;
  readonly status?: KeyStatus;
}

/** Where the database is and why it is believed. None of it is left once a policy is resolved. */
export interface PatternSource {
  readonly pattern_db_path?: string;
  readonly pattern_db_version?: string;
  readonly pattern_db_checksum?: string;
  readonly pattern_db_signature?: string;
  readonly pattern_db_signature_key_id?: string;
  readonly pattern_db_public_key?: string;
  readonly pattern_db_trust_store_path?: string;
  readonly pattern_db_trusted_keys?: readonly TrustedKey[];
  readonly pattern_db_manifest_path?: string;
  readonly pattern_db_manifest_trust_store_path?: string;
  readonly pattern_db_manifest_trusted_keys?: readonly TrustedKey[];
  /** The database itself, instead of a file. */
  readonly patterns?: readonly WrittenPattern[];
}

export interface SpiderSenseConfig extends PatternSource {
  readonly enabled: boolean;
  readonly embedding_api_url?: string;
  /** `${NAME}`: the key itself stands in no document. */
  readonly embedding_api_key?: string;
  readonly embedding_model?: string;
  /** 0 to 1. */
  readonly similarity_threshold: number;
  readonly ambiguity_band: number;
  readonly top_k: number;
  readonly async: AsyncSettings;
  readonly pattern_db?: PatternDatabase;
}

export interface SpiderGuards {
  readonly spider_sense: SpiderSenseConfig;
}
export interface WrittenSpider {
  readonly spider_sense?: Partial<Omit<SpiderSenseConfig, 'async'>> & { readonly async?: WrittenAsync };
}

const DEFAULTS: SpiderSenseConfig = {
  enabled: false,
  similarity_threshold: 0.85,
  ambiguity_band: 0.1,
  top_k: 5,
  async: ASYNC_DEFAULTS,
};
/** Off where no document mentions it. */
export const SPIDER_DEFAULTS: SpiderGuards = { spider_sense: DEFAULTS };
export const SPIDER_BLOCK: SpiderGuards = { spider_sense: { ...DEFAULTS, enabled: true } };

const FLAG: Field = { is: 'flag' };
const UNIT: Field = { is: 'number', min: 0, max: 1, whole: false };
const NAME: Field = { is: 'text', max: POLICY_LIMITS.entryCharsMax };
const STAGE: Field = wordsOf(PATTERN_STAGES);
const LABEL: Field = { is: 'text', max: POLICY_LIMITS.entryCharsMax, blank: true };
const ID: Field = { is: 'text', max: POLICY_LIMITS.patternIdCharsMax };
const PATTERN_NAMES = { id: ID, category: ID, stage: STAGE, label: LABEL };
const PATTERN_NAME = shape(PATTERN_NAMES, { required: Object.keys(PATTERN_NAMES) });
const COMPONENT: Field = { is: 'number', min: -1e30, max: 1e30, whole: false };
const PATTERN = shape({ ...PATTERN_NAMES, embedding: list(COMPONENT) }, { required: [...Object.keys(PATTERN_NAMES), 'embedding'] });
const TRUSTED_KEY = shape(
  { key_id: NAME, public_key: NAME, not_before: NAME, not_after: NAME, status: wordsOf(['active', 'deprecated', 'revoked']) },
  { required: ['public_key'] },
);
const TRUSTED_KEYS = list(TRUSTED_KEY);
const DATABASE_FIELDS = {
  version: NAME,
  checksum: NAME,
  dimension: whole(1, POLICY_LIMITS.patternDimensionMax),
  patterns: list(PATTERN_NAME, 'id'),
  vectors: { is: 'text', max: POLICY_LIMITS.patternVectorsCharsMax },
} as const;
const DATABASE = shape(DATABASE_FIELDS, { required: Object.keys(DATABASE_FIELDS) });

const SOURCE_FIELDS: Readonly<Record<keyof PatternSource, Field>> = {
  pattern_db_path: NAME,
  pattern_db_version: NAME,
  pattern_db_checksum: NAME,
  pattern_db_signature: NAME,
  pattern_db_signature_key_id: NAME,
  pattern_db_public_key: NAME,
  pattern_db_trust_store_path: NAME,
  pattern_db_trusted_keys: TRUSTED_KEYS,
  pattern_db_manifest_path: NAME,
  pattern_db_manifest_trust_store_path: NAME,
  pattern_db_manifest_trusted_keys: TRUSTED_KEYS,
  patterns: list(PATTERN, 'id'),
};
const OWN_FIELDS = {
  enabled: FLAG,
  embedding_api_url: NAME,
  embedding_api_key: text('secret-name'),
  embedding_model: NAME,
  similarity_threshold: UNIT,
  ambiguity_band: UNIT,
  top_k: whole(1, POLICY_LIMITS.patternTopMax),
  pattern_db: DATABASE,
} as const;
const OPTIONAL = ['embedding_api_url', 'embedding_api_key', 'embedding_model', 'pattern_db'];

/** The way over a language model: its answer would be free text that lowers a verdict. An ambiguous action is a warning. */
const DEEP_PATH = [
  'llm_api_url',
  'llm_api_key',
  'llm_model',
  'llm_prompt_template_id',
  'llm_prompt_template_version',
  'llm_timeout_ms',
  'llm_fail_mode',
];

export const SPIDER_FIELDS: Readonly<Record<keyof SpiderGuards, Shape>> = {
  spider_sense: shape(
    { ...OWN_FIELDS, ...SOURCE_FIELDS, async: ASYNC_FIELDS },
    { unsupported: new Set(DEEP_PATH), nullable: new Set([...OPTIONAL, ...Object.keys(SOURCE_FIELDS), 'async']) },
  ),
};

type Full = Parameters<typeof resolvedAsync>[0];

/** The same once resolved; `full` makes every field of a shape a required one. */
export function resolvedSpider(full: Full): Readonly<Record<keyof SpiderGuards, Shape>> {
  return { spider_sense: full(shape({ ...OWN_FIELDS, async: resolvedAsync(full) }), { optional: OPTIONAL }) };
}

/** Fields of which a block that names one takes away what the base says of all of them: a database has one source. */
const SOURCES = ['pattern_db_path', 'pattern_db_manifest_path', 'patterns', 'pattern_db'] as const;

export function withoutSources(config: SpiderSenseConfig): SpiderSenseConfig {
  const gone = new Set<string>([...Object.keys(SOURCE_FIELDS), 'pattern_db']);
  return Object.fromEntries(Object.entries(config).filter(([name]) => !gone.has(name))) as unknown as SpiderSenseConfig;
}

/** Each key that is there replaces the one below; a block that is there is on unless it says otherwise. */
export const SPIDER_MERGERS: {
  readonly [Name in keyof SpiderGuards]: (
    block: NonNullable<WrittenSpider[Name]>,
    ground: { readonly base: SpiderGuards[Name] },
  ) => SpiderGuards[Name];
} = {
  spider_sense: (block, { base }) => ({
    ...(SOURCES.some((name) => block[name] !== undefined) ? withoutSources(base) : base),
    ...block,
    enabled: block.enabled ?? true,
    async: mergeAsync(block.async, base.async),
  }),
};

/** What no single field can tell: where and what. */
export function spiderProblems({ spider_sense: config }: Partial<SpiderGuards>): readonly AsyncProblem[] {
  if (config === undefined) return [];
  const path = 'guards.spider_sense';
  const found = [...asyncProblems(config.async, `${path}.async`)];
  const { similarity_threshold: threshold, ambiguity_band: band } = config;
  // Sums of decimals are not exact.
  if (Math.round((threshold + band) * 1e6) > 1e6 || Math.round((threshold - band) * 1e6) < 0)
    found.push({ path, message: '`similarity_threshold` plus and minus `ambiguity_band` must stay between 0 and 1' });
  return found;
}
