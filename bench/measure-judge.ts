/** @module What understanding and judging cost, in this process, with the built engine. */
import type { JudgingEngine } from '@countersign/judge';
import type { Action } from '@countersign/protocol';
import { parseRules, type RuleDocument } from '@countersign/rules';
import { type BenchRow, median, percentile, round } from './bench-rows.ts';
import { KNOWN_STATE } from './corpus-action.ts';
import { openMeasuredEngine } from './engine-setup.ts';
import { measureHostile } from './measure-hostile.ts';
import { measureStall } from './measure-stall.ts';
import { parsedAction, simpleAction } from './sample-actions.ts';

const NOW = '2026-01-01T00:00:00.000Z';
const WARM_UP = 3000;
const SAMPLES = 12_000;
/** Different actions of one kind. */
const ACTIONS = 500;
const CUSTOM_RULES = 10_000;
/** Rules in one document, which has at most a million characters. */
const DOCUMENT_RULES = 2000;

function decide(engine: JudgingEngine, action: Action): void {
  const facts = engine.understand(action, []);
  engine.judge({ now: NOW, action, facts, state: KNOWN_STATE });
}

/** Microseconds of one call. */
function timed(work: () => void): number {
  const startedAt = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - startedAt) / 1000;
}

/** Samples of both kinds in turn, so that a busy moment falls on both. */
function sampleInTurn(kinds: readonly ((n: number) => void)[]): number[][] {
  for (let n = 0; n < WARM_UP; n += 1) for (const work of kinds) work(n);
  const samples = kinds.map((): number[] => []);
  for (let n = 0; n < SAMPLES; n += 1) {
    for (const [i, work] of kinds.entries()) samples[i]?.push(timed(() => work(n)));
  }
  return samples;
}

/**
 * The median of each action's own runs: what the action costs, without the moments at which the machine did something else. Percentiles
 * over actions of these; the plain 99th percentile of all runs stands in the figures.
 */
function costs(samples: readonly number[]): number[] {
  const runs = Array.from({ length: ACTIONS }, (): number[] => []);
  for (const [n, us] of samples.entries()) runs[n % ACTIONS]?.push(us);
  return runs.map((each) => median(each));
}

function latencyRow(name: string, samples: number[], target: { readonly p50: number; readonly p99: number }): BenchRow {
  const each = costs(samples);
  const [p50, p99] = [round(median(each)), round(percentile(each, 0.99))];
  return {
    area: 'judge',
    name,
    target: `p50 <= ${target.p50} us, p99 <= ${target.p99} us`,
    measured: `p50 ${p50} us, p99 ${p99} us`,
    met: p50 <= target.p50 && p99 <= target.p99,
    figures: { p50Us: p50, p99Us: p99, p99WithPausesUs: round(percentile(samples, 0.99)), samples: samples.length },
  };
}

function measureTypical(engine: JudgingEngine): BenchRow[] {
  const kinds = [simpleAction, parsedAction].map((make) => Array.from({ length: ACTIONS }, (_, n) => make(n)));
  const works = kinds.map((actions) => (n: number): void => {
    const action = actions[n % actions.length];
    if (action !== undefined) decide(engine, action);
  });
  const [simple = [], parsed = []] = sampleInTurn(works);
  return [
    latencyRow('judge, tool call of 0.5 KB without shell or SQL', simple, { p50: 25, p99: 100 }),
    latencyRow('judge, with a shell command or SQL statement', parsed, { p50: 90, p99: 250 }),
  ];
}

/** One rule that looks for words nobody else looks for, as an operator's own would. */
function customRule(i: number): string {
  return `
  - id: X${String(i).padStart(5, '0')}
    title: Own rule ${i}
    category: custom
    severity: medium
    score: 0.5
    when:
      text:
        any:
          - internal project ${i} codename
          - regex: 'proj-${i}-[a-z0-9]{4,12}'
    tags: {}
    examples:
      positive: [{prompt: about internal project ${i} codename}]
      negative: [{prompt: about something else}]`;
}

function customDocument(first: number, count: number): RuleDocument {
  const rules = Array.from({ length: count }, (_, k) => customRule(first + k)).join('');
  const parsed = parseRules(`version: 1\npack: bench-${first}\ndescription: Rules of the bench.\nrules:${rules}\n`, 'bench');
  if (!parsed.ok)
    throw new Error(`the custom rules of the bench are refused: ${parsed.error[0]?.message ?? ''} ${parsed.error[0]?.path ?? ''}`);
  return parsed.value;
}

function customRules(count: number): RuleDocument[] {
  return Array.from({ length: Math.ceil(count / DOCUMENT_RULES) }, (_, i) =>
    customDocument(i * DOCUMENT_RULES, Math.min(DOCUMENT_RULES, count - i * DOCUMENT_RULES)),
  );
}

async function measureManyRules(engine: JudgingEngine, engineFile: string | undefined): Promise<BenchRow> {
  const startedAt = performance.now();
  const large = await openMeasuredEngine({ ruleset: 'default', customRules: customRules(CUSTOM_RULES), engineFile });
  const loadMs = performance.now() - startedAt;
  const actions = Array.from({ length: ACTIONS }, (_, n) => (n % 3 === 0 ? parsedAction(n) : simpleAction(n)));
  const work =
    (judging: JudgingEngine) =>
    (n: number): void => {
      const action = actions[n % actions.length];
      if (action !== undefined) decide(judging, action);
    };
  const [few = [], many = []] = sampleInTurn([work(engine), work(large)]);
  const [fewUs, manyUs] = [median(few), median(many)];
  return {
    area: 'judge',
    name: `${CUSTOM_RULES} custom rules beside the built-in ones`,
    target: '<= 1.5x the time',
    measured: `${round(manyUs / fewUs)}x (${round(manyUs)} against ${round(fewUs)} us; loaded in ${round(loadMs / 1000)} s)`,
    met: manyUs / fewUs <= 1.5,
    figures: { ratio: round(manyUs / fewUs), fewUs: round(fewUs), manyUs: round(manyUs), loadMs: Math.round(loadMs) },
  };
}

/** Rows of the judge, one measurement after another. */
export async function* measureJudge(engineFile?: string): AsyncGenerator<BenchRow> {
  const engine = await openMeasuredEngine({ ruleset: 'default', engineFile });
  yield* measureTypical(engine);
  yield* measureHostile(engine);
  yield* await measureStall(engineFile);
  yield await measureManyRules(engine, engineFile);
}
