/**
 * @module A second opinion on every expression of the packs, from a prover of its own: `recheck` must not call one exponential.
 *
 * Polynomial is what most security expressions are, and is bounded here by the window. A pattern costs the prover 10 ms to seconds, so
 * answers are kept by hash in `patterns.checked.json`. Run from the root of the repository, with the condition `@countersign/source`:
 * `node --conditions=@countersign/source packages/rules/tools/check-patterns.ts [--again] [rules.yaml ...]`; with `--again` those are asked once more
 * that the prover had no time for, with ten times as much. Exit code 1: an exponential one, 3: a document at fault.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseRules, type Condition } from '../src/index.ts';

/** What is asked of the prover; its own type lives in a package without ESM types. */
type CheckSync = (
  source: string,
  flags: string,
  options: { readonly timeout: number },
) => { readonly status: string; readonly complexity?: { readonly type: string } };

/** `linear`, `polynomial`, `exponential`, or `unknown` where the prover ran out of time. */
export type Answer = 'linear' | 'polynomial' | 'exponential' | 'unknown';

const CACHE = new URL('../patterns.checked.json', import.meta.url);
const PACKS = new URL('../packs/', import.meta.url);
const TIMEOUT_MS = 800;

/** The expressions anywhere inside a condition. */
export function expressionsOf(condition: Condition): readonly string[] {
  const found: string[] = [];
  const open: unknown[] = [condition];
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [key, item] of Object.entries(value)) {
      if (key === 'regex' && typeof item === 'string') found.push(item);
      else open.push(item);
    }
  }
  return found;
}

/** The key of an expression in the cache. */
export function patternHash(source: string): string {
  return createHash('sha256').update(source).digest('hex');
}

function readCache(): Map<string, Answer> {
  // Written by this tool only.
  return new Map(Object.entries(JSON.parse(readFileSync(CACHE, 'utf8')) as Record<string, Answer>));
}

function writeCache(answers: ReadonlyMap<string, Answer>): void {
  const sorted = Object.fromEntries([...answers].sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(CACHE, `${JSON.stringify(sorted, null, 0).replaceAll(',', ',\n')}\n`);
}

function prover(timeout: number): (source: string) => Answer {
  process.env['RECHECK_BACKEND'] = 'pure';
  const { checkSync } = createRequire(import.meta.url)('recheck') as { readonly checkSync: CheckSync };
  return (source) => {
    const { status, complexity } = checkSync(source, 's', { timeout });
    const type = status === 'unknown' ? undefined : complexity?.type;
    if (type === 'exponential' || type === 'polynomial') return type;
    return type === 'linear' || type === 'safe' ? 'linear' : 'unknown';
  };
}

function expressionsIn(files: readonly (URL | string)[]): Map<string, string> {
  const sources = new Map<string, string>();
  for (const file of files) {
    const read = parseRules(readFileSync(file, 'utf8'), String(file));
    if (!read.ok) {
      for (const fault of read.error)
        process.stderr.write(`${fault.source}:${fault.line}:${fault.column} ${fault.code} ${fault.message}\n`);
      process.exit(3);
    }
    for (const { rule } of read.value.rules) for (const source of expressionsOf(rule.when)) sources.set(source, rule.id);
  }
  return sources;
}

function main(args: readonly string[]): void {
  const again = args.includes('--again');
  const argv = args.filter((argument) => argument !== '--again');
  const packs = readdirSync(PACKS)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => new URL(name, PACKS));
  const sources = expressionsIn(argv.length > 0 ? argv : packs);
  const known = readCache();
  const answers = new Map<string, Answer>(argv.length > 0 ? known : []);
  const ask = prover(again ? TIMEOUT_MS * 10 : TIMEOUT_MS);
  const counts: Record<Answer, number> = { linear: 0, polynomial: 0, exponential: 0, unknown: 0 };
  for (const [source, rule] of sources) {
    const hash = patternHash(source);
    const kept = known.get(hash);
    const answer = kept === undefined || (again && kept === 'unknown') ? ask(source) : kept;
    answers.set(hash, answer);
    counts[answer] += 1;
    if (answer === 'exponential') process.stderr.write(`${rule}: exponential: ${source}\n`);
  }
  writeCache(answers);
  process.stdout.write(`${sources.size} expressions: ${JSON.stringify(counts)}\n`);
  process.exitCode = counts.exponential > 0 ? 1 : 0;
}

if (import.meta.main) main(process.argv.slice(2));
