/**
 * Both verifiers on evidence that is damaged with knowledge of what it is. One seed gives one run; `COUNTERSIGN_FUZZ_SEED` and
 * `COUNTERSIGN_FUZZ_ROUNDS` (400 questions each) give others, longer ones.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { seeded } from '../../bench/crash-run.ts';
import { compare, type Question } from './both-verifiers.ts';
import { findPython } from './python-process.ts';
import { bundleQuestion, consistencyQuestion, type Parts, partsOf, sessionQuestion } from './tampering.ts';

const SEED = Number(process.env['COUNTERSIGN_FUZZ_SEED'] ?? 20_260_108);
const ROUNDS = Number(process.env['COUNTERSIGN_FUZZ_ROUNDS'] ?? 2);
const QUESTIONS = 400;

function stored(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../vectors/bundle/${name}.json`, import.meta.url), 'utf8'));
}

/** What holds, of both verifiers' vectors: receipts, outcomes, ends, erasures, changes of log keys; cosigned or not. */
function parts(): Parts {
  const valid = (stored('valid') as readonly { readonly bundles: readonly string[] }[]).flatMap(({ bundles }) => bundles);
  const { cases } = stored('extended') as {
    readonly cases: readonly { readonly file: string; readonly expect: { readonly ok: boolean } }[];
  };
  const extended = cases.filter(({ file, expect: { ok } }) => ok && file.length < 20_000).map(({ file }) => file);
  return partsOf([...new Set([...valid, ...extended])].map((text) => Buffer.from(text, 'utf8')));
}

/** What must have been said in every run: otherwise the damage is not what it should be. */
const REACHED: readonly string[] = [
  'bundle-form',
  'entry-form',
  'signature',
  'inclusion',
  'checkpoint',
  'cosignatures',
  'commitments',
  'inputs',
  'chain',
  'outcomes',
  'consistency-form',
  'consistency',
];

it('BNDL-012 BNDL-014 BNDL-023 BNDL-032 both verifiers say the same of whatever is made up', { timeout: 600_000 }, async (context) => {
  const found = await findPython();
  const python = 'missing' in found ? context.skip(found.missing) : found.path;
  const pool = parts();
  const codes = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round += 1) {
    const random = seeded(SEED + round);
    const questions = Array.from({ length: QUESTIONS }, (_, n): Question => {
      if (n % 4 === 0) return consistencyQuestion(random);
      return n % 4 === 1 ? sessionQuestion(pool, random) : bundleQuestion(pool, random);
    });
    const said = await compare(python, questions, `seed ${SEED + round}`);
    for (const [line, count] of said) codes.set(line, (codes.get(line) ?? 0) + count);
  }
  const lines = [...codes.keys()];
  for (const name of REACHED) {
    expect(
      lines.some((line) => line.startsWith(`${name} fail`)),
      `${name} never failed, seed ${SEED}`,
    ).toBe(true);
    expect(
      lines.some((line) => line.startsWith(`${name} pass`)),
      `${name} never passed, seed ${SEED}`,
    ).toBe(true);
  }
  const table = [...codes].map(([line, count]) => `${count} ${line}`).sort();
  if (ROUNDS > 2) process.stdout.write(`${table.join('\n')}\nseeds ${SEED} to ${SEED + ROUNDS - 1}\n`);
});
