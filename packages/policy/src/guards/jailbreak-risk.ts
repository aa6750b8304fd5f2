/**
 * @module Risk of a jailbreak, 0 to 100, in the four layers of Clawdstrike 0.2.7: word families, statistics of characters, a small linear
 * model over both, and an opinion from outside that was recorded. Only additions, multiplications and divisions, whose results IEEE 754
 * fixes to the bit, so that every machine finds the same.
 */
import type { Facts, TextFact } from '@countersign/protocol';
import type { JailbreakDetector, LinearModel } from './text-guards-config.ts';
import { wordFamilies } from './word-families.ts';

const RULES =
  'policy|policies|rules|safety|guardrail|guardrails|guidelines|restrictions|restriction|filters|safeguards|moderation|censorship|ethics|limitations';

export const JAILBREAK_FAMILIES: ReturnType<typeof wordFamilies> = wordFamilies({
  jb_ignore_policy: [
    `ignore|disregard|bypass|override|disable|forget|circumvent|evade|violate|abandon 7 ${RULES}`,
    'ignore|disregard|forget|override 4 previous|prior|above|earlier|preceding 4 instruction|instructions|directions|directives|prompt|prompts',
    `free|freed|released|liberated 1 from 4 ${RULES}`,
    'ignoriere|missachte|umgehe|vergiss 4 regeln|richtlinien|anweisungen|vorgaben',
    'ignora|olvida|ignorez|oublie|oubliez 4 reglas|normas|instrucciones|règles|consignes|instructions',
  ],
  jb_dan_unfiltered: [
    'jailbreak|jailbroken|unfiltered|unrestricted|uncensored',
    // Dan is also a name.
    'now|as|be|become 1 dan',
    'dan 1 mode|jailbreak|prompt',
    'developer 0 mode 0 enabled|activated|output',
    'do 0 anything 0 now',
  ],
  jb_system_prompt_extraction: [
    'reveal|show|repeat|print|output|display|disclose|dump|leak|expose|recite 6 system|developer|hidden|initial|original|secret 0 prompt|prompts|instructions|message|messages|directives',
    'tell 0 me 6 system|developer|hidden|initial|original|secret 0 prompt|prompts|instructions|message|messages|directives',
    'zeige|zeig|nenne|verrate|gib 6 systemprompt|systemanweisungen|systemanweisung',
  ],
  jb_role_change: [
    'you 0 are 0 now',
    'act 0 as',
    'pretend 0 to 0 be',
    'pretend 0 you',
    'roleplay|roleplaying',
    'role 0 play',
    'du 0 bist 1 jetzt|nun',
  ],
  jb_encoded_payload: ['base64|rot13|decode', 'url 0 encode|encoded'],
});

/** Signals of the first layer with their weights and categories. */
export const HEURISTICS: Readonly<Record<string, { readonly weight: number; readonly category: string }>> = {
  jb_ignore_policy: { weight: 0.9, category: 'authority_confusion' },
  jb_dan_unfiltered: { weight: 0.9, category: 'role_play' },
  jb_system_prompt_extraction: { weight: 0.95, category: 'instruction_extraction' },
  jb_role_change: { weight: 0.7, category: 'role_play' },
  jb_encoded_payload: { weight: 0.6, category: 'encoding_attack' },
};

const PUNCTUATION_MIN = 0.35;
const ENTROPY_MIN = 4.8;
const SYMBOL_RUN_MIN = 12;
const STATISTIC_WEIGHT = 0.2;

export interface Statistics {
  /** Share of symbols among what is no space. */
  readonly punctuation: number;
  /** Bits a character of what is ASCII and no space. */
  readonly entropy: number;
  readonly symbolRun: boolean;
}

/** Bits after the point of a logarithm. */
const LOG_BITS = 12;

/** log2 of a number from 1 on, by squaring. */
function log2(value: number): number {
  let whole = 0;
  let rest = value;
  for (; rest >= 2; rest /= 2) whole += 1;
  let fraction = 0;
  for (let bit = 0.5, i = 0; i < LOG_BITS; i += 1, bit /= 2) {
    rest *= rest;
    if (rest < 2) continue;
    fraction += bit;
    rest /= 2;
  }
  return whole + fraction;
}

function entropyOf(counts: Uint32Array, total: number): number {
  let bits = 0;
  for (const count of counts) if (count > 0) bits += (count / total) * log2(total / count);
  return bits;
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0 || code === 0x3000;
}

/** Letters and digits; whatever is not ASCII is a letter here, so that a language is no symbol. */
function isWordChar(code: number): boolean {
  return code >= 0x80 || (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a);
}

export function statisticsOf(text: string): Statistics {
  const counts = new Uint32Array(128);
  let [ascii, seen, symbols, run, longest] = [0, 0, 0, 0, 0];
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    const space = isSpace(code);
    const symbol = !space && !isWordChar(code);
    run = symbol ? run + 1 : 0;
    longest = Math.max(longest, run);
    if (space) continue;
    seen += 1;
    if (symbol) symbols += 1;
    if (code >= 0x80) continue;
    ascii += 1;
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return { punctuation: seen === 0 ? 0 : symbols / seen, entropy: entropyOf(counts, ascii), symbolRun: longest >= SYMBOL_RUN_MIN };
}

const EXP_BITS = 10;
const EXP_MAX = 40;

/** e to a power, by a short series and squaring. */
function exp(power: number): number {
  const bounded = Math.max(-EXP_MAX, Math.min(EXP_MAX, power));
  const part = bounded / 2 ** EXP_BITS;
  let value = 1 + part * (1 + (part / 2) * (1 + part / 3));
  for (let i = 0; i < EXP_BITS; i += 1) value *= value;
  return value;
}

export interface RiskInput {
  readonly signals: ReadonlySet<string>;
  readonly invisible: boolean;
  readonly statistics: Statistics;
  readonly facts: Pick<Facts, 'prose' | 'opinions'>;
}

function linear(model: LinearModel, { signals, statistics }: RiskInput): number {
  const has = (id: string): number => (signals.has(id) ? 1 : 0);
  const sum =
    model.bias +
    model.w_ignore_policy * has('jb_ignore_policy') +
    model.w_dan * has('jb_dan_unfiltered') +
    model.w_role_change * has('jb_role_change') +
    model.w_prompt_extraction * has('jb_system_prompt_extraction') +
    model.w_encoded * has('jb_encoded_payload') +
    model.w_punct * Math.min(1, 2 * statistics.punctuation) +
    model.w_symbol_run * (statistics.symbolRun ? 1 : 0);
  return 1 / (1 + exp(-sum));
}

/** What the classifier of prose made of the content: it has learned from texts, the linear model has not. */
function proseOf({ prose = [] }: RiskInput['facts']): number {
  const content = prose.filter(({ role }) => role === 'content');
  return Math.max(0, ...content.map(({ score }) => score)) / 1000;
}

export interface Layers {
  readonly heuristic: number;
  readonly statistical: number;
  readonly ml: number;
  /** Undefined where nobody was asked, or nobody is listened to. */
  readonly judge: number | undefined;
  readonly risk: number;
}

function judgeOf({ opinions = [] }: RiskInput['facts']): number | undefined {
  const scores = opinions.filter(({ kind }) => kind === 'llm').map(({ score }) => score / 1000);
  return scores.length === 0 ? undefined : Math.max(...scores);
}

/** All layers, each from 0 on, and what they come to. An opinion may raise the risk and never lowers it. */
export function riskOf({ layers, linear_model: model }: JailbreakDetector, input: RiskInput): Layers {
  const { signals, statistics, invisible, facts } = input;
  const hits = [...signals].map((id) => HEURISTICS[id]?.weight ?? 0);
  const heuristic = layers.heuristic ? hits.reduce((sum, weight) => sum + weight, 0) : 0;
  const odd = [statistics.punctuation >= PUNCTUATION_MIN, statistics.entropy >= ENTROPY_MIN, invisible, statistics.symbolRun];
  const statistical = layers.statistical ? odd.filter(Boolean).length * STATISTIC_WEIGHT : 0;
  const ml = layers.ml ? Math.max(linear(model, input), proseOf(facts)) : 0;
  const own = 0.55 * Math.min(1, heuristic / 3) + 0.2 * Math.min(1, statistical) + 0.25 * ml;
  const judge = layers.llm_judge ? judgeOf(facts) : undefined;
  const score = judge === undefined ? own : Math.max(own, 0.9 * own + 0.1 * judge);
  return { heuristic, statistical, ml, judge, risk: Math.round(100 * score) };
}

/** The text as it was sent: statistics of decoded layers would tell of the decoders. */
export function sentText(texts: readonly TextFact[]): string {
  return texts.find(({ layers }) => layers.length === 0)?.text ?? '';
}
