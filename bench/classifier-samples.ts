/**
 * @module What the text classifier learns from: rows of the prompt families as the texts the judge would read, and the folds that keep
 * near-copies together. Nothing of a row's text is written anywhere.
 */
import { join } from 'node:path';
import type { JudgingEngine } from '@countersign/judge';
import { CodedError } from '@countersign/kernel';
import { PROSE_WINDOW_WORDS, ProseWords } from '@countersign/facts';
import type { Action, Facts } from '@countersign/protocol';
import { actionOfRow } from './corpus-action.ts';
import { type CorpusRow, isExcluded, readFamily } from './corpora.ts';

/** Families to learn from, attacks and harmless rows of each. */
export const LEARNT: readonly string[] = [
  'pi_direct',
  'asb_opi',
  'agentdojo_tool_response',
  'jailbreak_inthewild',
  'cyberseceval_pi',
  'dc_injection',
  'mcp_tool_def',
  'pi_overdefense',
  'benign_tool_response',
  'shell_benign',
  'secrets_benign_dev',
];
/** Never learnt from: what the model makes of texts of other hands. `agentdojo_cases` shares its suites with a family that is learnt. */
export const APART: readonly string[] = ['agt_pi_smoke', 'bipia', 'agentdojo_cases'];
/** Harmless, and hardly prose: learnt from, and left out where rates of false alarms set a threshold, which they would flatter. */
const NOT_PROSE: ReadonlySet<string> = new Set(['shell_benign', 'secrets_benign_dev']);
/** Suites that several families draw from: one document, whatever the family. */
const SHARED_DOCS = /^suite:/;
/** Words in a row that two rows share when one is a near-copy of the other. */
export const COPY_WORDS = 8;
export const FOLDS = 5;

export interface Sample {
  readonly family: string;
  readonly attack: boolean;
  readonly prose: boolean;
  readonly action: Action;
  readonly facts: Facts;
  /** The words of its plain texts, three buckets a word. */
  readonly texts: readonly Int32Array[];
  /** The row's document, and runs of words: rows that share one are of one group. */
  readonly marks: readonly string[];
  fold: number;
}

/** True for what is prose as it came: what decoders make of it is judged and not learnt, so that weights do not change with every decoder. */
export function isLearnt({ role, layers }: Facts['texts'][number]): boolean {
  return (role === 'content' || role === 'descriptor') && layers.length === 0;
}

function bucketsOf(lower: string): Int32Array {
  const reader = new ProseWords(lower);
  const buckets: number[] = [];
  while (reader.next()) buckets.push(reader.word, reader.stem, reader.pair);
  return Int32Array.from(buckets);
}

function marksOf(row: CorpusRow, text: string): string[] {
  const doc = row.doc ?? row.id;
  const marks = [SHARED_DOCS.test(doc) ? `doc ${doc}` : `doc ${row.family} ${doc}`];
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  for (let i = 0; i + COPY_WORDS <= words.length; i += 1) marks.push(words.slice(i, i + COPY_WORDS).join(' '));
  return marks;
}

/** Commands and secrets of the harmless families are read as what a tool answered. */
function asProse(row: CorpusRow): CorpusRow {
  return NOT_PROSE.has(row.family) ? { ...row, kind: 'tool_response' } : row;
}

function sampleOf(engine: JudgingEngine, row: CorpusRow): Sample | undefined {
  const action = isExcluded(row) || row.text === undefined ? undefined : actionOfRow(asProse(row));
  if (action === undefined || row.text === undefined) return undefined;
  const facts = engine.understand(action, []);
  const texts = facts.texts.filter(isLearnt).map(({ lower }) => bucketsOf(lower));
  const { family, label } = row;
  return {
    family,
    attack: label === 'attack',
    prose: !NOT_PROSE.has(family),
    action,
    facts,
    texts,
    marks: marksOf(row, row.text),
    fold: -1,
  };
}

/** Every row of a family that counts. @throws {CodedError} `corpus_invalid`. */
export function samplesOf(engine: JudgingEngine, folder: string, family: string): Sample[] {
  const samples = readFamily(join(folder, `${family}.jsonl.gz`)).flatMap((row) => sampleOf(engine, row) ?? []);
  if (samples.length === 0) throw new CodedError({ code: 'corpus_invalid', message: `the family ${family} has no rows that count` });
  return samples;
}

/** The group of each sample: samples that share a mark, and those that share one with them. */
function groupsOf(samples: readonly Sample[]): readonly number[] {
  const parents = samples.map((_, i) => i);
  const rootOf = (from: number): number => {
    let at = from;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at] ?? 0] ?? 0;
      at = parents[at] ?? 0;
    }
    return at;
  };
  const holders = new Map<string, number>();
  for (const [i, { marks }] of samples.entries()) {
    for (const mark of marks) {
      const other = holders.get(mark);
      if (other === undefined) holders.set(mark, i);
      else parents[rootOf(i)] = rootOf(other);
    }
  }
  return samples.map((_, i) => rootOf(i));
}

/** Gives every sample its fold, largest groups first into the emptiest fold; the number of groups. */
export function foldSamples(samples: readonly Sample[]): number {
  const groups = new Map<number, Sample[]>();
  for (const [i, root] of groupsOf(samples).entries()) {
    const sample = samples[i];
    if (sample !== undefined) groups.set(root, [...(groups.get(root) ?? []), sample]);
  }
  const sizes = Array.from({ length: FOLDS }, () => 0);
  for (const [, members] of [...groups].toSorted((a, b) => b[1].length - a[1].length || a[0] - b[0])) {
    const fold = sizes.indexOf(Math.min(...sizes));
    sizes[fold] = (sizes[fold] ?? 0) + members.length;
    for (const sample of members) sample.fold = fold;
  }
  return groups.size;
}

/** A window of words in a text, as the place of its first bucket and behind its last. */
export interface Stretch {
  readonly buckets: Int32Array;
  readonly from: number;
  readonly to: number;
}

/** Words of a window, in buckets. */
export const WINDOW_BUCKETS: number = PROSE_WINDOW_WORDS * 3;
