/**
 * @module `npm run train`: trains the text classifier on the labelled corpora and writes its weights and the record of its training into
 * `packages/facts/src`. Equal corpora give equal weights; `--check` trains and says whether those that are here are the same. Exits 3 when the
 * corpora are not there, 1 when training failed or `--check` found a difference.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { JudgingEngine } from '@countersign/judge';
import { PROSE_BUCKET_BITS, PROSE_MODEL, PROSE_WINDOW_WORDS, type ProseModel, weighProse } from '@countersign/facts';
import type { Facts, ProseFact } from '@countersign/protocol';
import { areaUnder, familyRow, familyTable, type HeldOut, pointAt, pointTable, thresholdAt } from './classifier-report.ts';
import { APART, COPY_WORDS, foldSamples, FOLDS, isLearnt, LEARNT, type Sample, samplesOf } from './classifier-samples.ts';
import { curveOf, logitOf, quantise, train, type Trained, TRAINING } from './classifier-training.ts';
import { KNOWN_STATE } from './corpus-action.ts';
import { corporaFolder } from './corpora.ts';
import { openMeasuredEngine } from './engine-setup.ts';

const HELP = `npm run train -- [options]
  --corpora DIR    folder of *.jsonl.gz (default: ../shared/corpora, or corpora in COUNTERSIGN_SHARED)
  --check          write nothing; exit 1 where the weights that are here are others
`;
const NOW = '2026-01-01T00:00:00.000Z';
const SOURCES = new URL('../packages/facts/src/', import.meta.url);
const WEIGHTS_FILE = new URL('text-classifier-weights.ts', SOURCES);
const RECORD_FILE = new URL('text-classifier.training.json', SOURCES);
/** Shares of harmless prose over a threshold: the points of the curve, and those that the model calls likely and strong. */
const POINTS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];
const LIKELY_SHARE = 0.02;
const STRONG_SHARE = 0.005;

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function bytesOf(weights: Int8Array): Uint8Array {
  return new Uint8Array(weights.buffer, weights.byteOffset, weights.length);
}

interface Scored {
  readonly sample: Sample;
  readonly model: ProseModel;
  readonly sum: number;
  readonly logit: number;
}

/** A model that calls nothing yet likely or strong. */
function modelOf(trained: Trained): ProseModel {
  return { ...quantise(trained), curve: curveOf(), likely: 0, strong: 0 };
}

function scored(samples: readonly Sample[], trained: Trained): Scored[] {
  const model = modelOf(trained);
  return samples.map((sample) => {
    const sums = sample.facts.texts.filter(isLearnt).map((text) => weighProse(text, model).sum);
    return { sample, model, sum: Math.max(-100_000, ...sums), logit: logitOf(trained, sample) };
  });
}

function isRead({ role }: Facts['texts'][number]): boolean {
  return role === 'content' || role === 'descriptor';
}

/** Every row as a model sees it that has not learnt from its fold. */
function crossValidate(samples: readonly Sample[]): Scored[] {
  return Array.from({ length: FOLDS }, (_, fold) => {
    const trained = train(samples.filter((sample) => sample.fold !== fold));
    const held = samples.filter((sample) => sample.fold === fold);
    return scored(held, trained);
  }).flat();
}

/** Rows of each family as a model sees them that has not learnt from that family at all. */
function leaveFamiliesOut(samples: readonly Sample[]): Scored[] {
  const families = LEARNT.filter((family) => samples.some((sample) => sample.family === family && sample.attack));
  return families.flatMap((family) => {
    const trained = train(samples.filter((sample) => sample.family !== family));
    return scored(
      samples.filter((sample) => sample.family === family),
      trained,
    );
  });
}

function decisionOf(engine: JudgingEngine, { action }: Sample, facts: Facts): string {
  return engine.judge({ now: NOW, action, facts, state: KNOWN_STATE }).verdict.decision;
}

/** What the judge decides with the rules as they are, without the signal and with what this model says. */
function judged(engine: JudgingEngine, rows: readonly Scored[], thresholds: Pick<ProseModel, 'likely' | 'strong'>): HeldOut[] {
  return rows.map(({ sample, model, sum, logit }) => {
    const { prose: _own, ...plain } = sample.facts;
    const prose = plain.texts.filter(isRead).flatMap((text): ProseFact[] => {
      const { fact } = weighProse(text, { ...model, ...thresholds });
      return fact === undefined ? [] : [fact];
    });
    const signal = prose.length === 0 ? plain : { ...plain, prose };
    return { sample, sum, logit, without: decisionOf(engine, sample, plain), with: decisionOf(engine, sample, signal) };
  });
}

/** The source that the engine is built with. */
function weightsSource(model: ProseModel): string {
  const base64 = Buffer.from(bytesOf(model.weights)).toString('base64');
  return `/** @module Weights of the text classifier. Written by \`npm run train\`; how, and from what, stands in \`text-classifier.training.json\`. */
import { type ProseModel, weightsFrom } from './text-classifier.ts';

const WEIGHTS =
  '${base64}';

/** The model that the judge uses. */
export const PROSE_MODEL: ProseModel = {
  weights: weightsFrom(WEIGHTS),
  bias: ${model.bias},
  curve: [${model.curve.join(', ')}],
  likely: ${model.likely},
  strong: ${model.strong},
};
`;
}

function corporaRecord(folder: string, samples: readonly Sample[]): object[] {
  return [...LEARNT, ...APART].map((family) => {
    const rows = samples.filter((sample) => sample.family === family);
    const attacks = rows.filter(({ attack }) => attack).length;
    const file = `${family}.jsonl.gz`;
    const hash = sha256(readFileSync(join(folder, file)));
    return { file, sha256: hash, attacks, harmless: rows.length - attacks, learnt: LEARNT.includes(family) };
  });
}

interface Session {
  readonly folder: string;
  readonly engine: JudgingEngine;
  readonly learnt: readonly Sample[];
  readonly apart: readonly Sample[];
  readonly groups: number;
}

/** Rows by how little the model that saw them knew of them: not their fold, not their family, nothing like them. */
interface Rows {
  readonly held: readonly HeldOut[];
  readonly unseen: readonly HeldOut[];
  readonly apart: readonly HeldOut[];
}

function familiesOf(rows: readonly HeldOut[]): string[] {
  return [...new Set(rows.map(({ sample }) => sample.family))];
}

function recordOf(session: Session, model: ProseModel, rows: Rows): object {
  const { learnt, apart, folder, groups } = session;
  const points = POINTS.map((share) => pointAt(rows.held, share, thresholdAt(rows.held, share)));
  return {
    format: 1,
    date: new Date().toISOString().slice(0, 10),
    model: { buckets: 2 ** PROSE_BUCKET_BITS, windowWords: PROSE_WINDOW_WORDS, weightsSha256: sha256(bytesOf(model.weights)) },
    training: TRAINING,
    corpora: corporaRecord(folder, [...learnt, ...apart]),
    folds: {
      count: FOLDS,
      groups,
      rule: `rows of one document, and rows that share ${COPY_WORDS} words in a row, are of one group; a group is in one fold; a suite is one document in all families`,
      sizes: Array.from({ length: FOLDS }, (_, fold) => learnt.filter((sample) => sample.fold === fold).length),
    },
    thresholds: { likely: model.likely, likelyShare: LIKELY_SHARE, strong: model.strong, strongShare: STRONG_SHARE },
    heldOut: { points, families: LEARNT.map((family) => familyRow(family, rows.held, model)) },
    familyLeftOut: familiesOf(rows.unseen).map((family) => familyRow(family, rows.unseen, model)),
    neverLearnt: APART.map((family) => familyRow(family, rows.apart, model)),
    quantisation: {
      nonZero: model.weights.filter((weight) => weight !== 0).length,
      areaFloat: areaUnder(rows.held, ({ logit }) => logit),
      areaBytes: areaUnder(rows.held, ({ sum }) => sum),
      largestChangeLogits: Math.max(
        ...rows.held.filter(({ logit }) => logit > -100).map(({ sum, logit }) => Math.abs(sum / TRAINING.scale - logit)),
      ),
    },
  };
}

function page(rows: Rows, model: ProseModel): string {
  const points = POINTS.map((share) => pointAt(rows.held, share, thresholdAt(rows.held, share)));
  return [
    'Held-out folds:',
    pointTable(points),
    familyTable(LEARNT.map((family) => familyRow(family, rows.held, model))),
    'The whole family left out:',
    familyTable(familiesOf(rows.unseen).map((family) => familyRow(family, rows.unseen, model))),
    'Never learnt from:',
    familyTable(APART.map((family) => familyRow(family, rows.apart, model))),
  ].join('\n\n');
}

/** Trains on everything, with thresholds from the folds. */
async function trainAll(folder: string, check: boolean): Promise<number> {
  const engine = await openMeasuredEngine({ ruleset: 'default', unknownHosts: 'reported' });
  const learnt = LEARNT.flatMap((family) => samplesOf(engine, folder, family));
  const apart = APART.flatMap((family) => samplesOf(engine, folder, family));
  const session: Session = { folder, engine, learnt, apart, groups: foldSamples(learnt) };
  const validated = crossValidate(learnt);
  const bare = validated.map((row): HeldOut => ({ ...row, without: '', with: '' }));
  const thresholds = { likely: thresholdAt(bare, LIKELY_SHARE), strong: thresholdAt(bare, STRONG_SHARE) };
  const trained = train(learnt);
  const model = { ...modelOf(trained), ...thresholds };
  const rows: Rows = {
    held: judged(engine, validated, thresholds),
    unseen: judged(engine, leaveFamiliesOut(learnt), thresholds),
    apart: judged(engine, scored(apart, trained), thresholds),
  };
  process.stdout.write(`${page(rows, model)}\n`);
  if (check) {
    const same = weightsSource(model) === readFileSync(WEIGHTS_FILE, 'utf8');
    process.stderr.write(same ? 'the weights that are here are those of this training\n' : 'the weights that are here are others\n');
    return same ? 0 : 1;
  }
  writeFileSync(WEIGHTS_FILE, weightsSource(model));
  writeFileSync(RECORD_FILE, `${JSON.stringify(recordOf(session, model, rows), null, 2)}\n`);
  const changed = sha256(bytesOf(model.weights)) !== sha256(bytesOf(PROSE_MODEL.weights));
  process.stderr.write(
    `written: ${fileURLToPath(WEIGHTS_FILE)}${changed ? '; npm run build takes them into the engine' : ', the same as before'}\n`,
  );
  return 0;
}

async function main(options: { readonly corpora: string | undefined; readonly check: boolean }): Promise<number> {
  const folder = corporaFolder(options.corpora);
  if (folder === undefined) {
    process.stderr.write('the corpora are not here: give --corpora DIR, or set COUNTERSIGN_SHARED to the folder that holds corpora/\n');
    return 3;
  }
  return trainAll(folder, options.check);
}

function complain(error: unknown): number {
  process.stderr.write(`train: ${error instanceof Error ? error.message : String(error)}\n`);
  return 1;
}

const { values } = parseArgs({
  options: { corpora: { type: 'string' }, check: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
if (values.help) process.stdout.write(HELP);
else process.exitCode = await main({ corpora: values.corpora, check: values.check }).catch(complain);
