/**
 * @module Examples of an imported rule: actions that it should find, made from its own patterns. They are guesses, to be tried by whoever has
 * an engine; a rule of which no example holds is not one.
 */
import type { ExampleSketch } from '../rule.ts';
import type { Expression, SigmaPattern } from './expression.ts';
import type { Source } from './sigma-fields.ts';
import { SIGMA_LIMITS } from './sigma-limits.ts';
import type { Alternative, Constraint } from './to-condition.ts';

/** What a value must be made of. */
interface Parts {
  readonly whole: string | undefined;
  readonly start: string;
  readonly inside: readonly string[];
  readonly end: string;
}

function partsOf(samples: readonly SigmaPattern[]): Parts {
  const at = (place: SigmaPattern['place']): readonly string[] =>
    samples.filter((one) => one.place === place).map(({ sample }) => sample ?? '');
  return { whole: at('whole')[0], start: at('start')[0] ?? '', inside: at('inside'), end: at('end')[0] ?? '' };
}

/** The first pattern of each test of a field that a text is known for; undefined where one has none. */
function samplesOf(constraints: readonly Constraint[], field: string): readonly SigmaPattern[] | undefined {
  const found: SigmaPattern[] = [];
  for (const { target, test } of constraints) {
    if (target.field !== field || test.is !== 'any') continue;
    const usable = test.patterns.find(({ sample }) => sample !== undefined);
    if (usable === undefined) return undefined;
    found.push(usable);
  }
  return found;
}

function valueOf(constraints: readonly Constraint[], field: string, join: (parts: Parts) => string): string | undefined {
  const samples = samplesOf(constraints, field);
  if (samples === undefined) return undefined;
  if (samples.length === 0) return '';
  const parts = partsOf(samples);
  return parts.whole ?? join(parts);
}

/** Words of a shell line, each of which stays one: runs of several spaces are kept inside of one word. */
function shellLine(line: string): string {
  return line
    .split(/(?<! ) (?! )/)
    .map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

const SHELLS: ReadonlyMap<string, string> = new Map([
  ['bash', 'bash -c'],
  ['sh', 'sh -c'],
  ['zsh', 'zsh -c'],
  ['cmd', 'cmd /c'],
]);

function wrapped(command: string, wrapper: string): string {
  if (wrapper === '') return command;
  const shell = SHELLS.get(wrapper);
  return shell === undefined ? `${wrapper} ${command}` : `${shell} '${command.replaceAll("'", "'\\''")}'`;
}

interface Program {
  /** As it is typed. */
  readonly typed: string;
  /** As the line has it. */
  readonly name: string;
}

function programOf(constraints: readonly Constraint[]): Program | undefined {
  const written = valueOf(constraints, 'program', ({ start, inside, end }) => `${start}${inside.join('')}${end}`);
  const name = valueOf(constraints, 'name', ({ start, inside, end }) => `${start}${inside.join('')}${end}`);
  if (written === undefined || name === undefined) return undefined;
  if (written === '') return { typed: name, name };
  const typed = name === '' || written.endsWith(name) ? written : `${written}/${name}`;
  const path = typed.startsWith('/') || /^[a-z]:/.test(typed) ? typed : `/${typed}`;
  return {
    typed: path,
    name:
      path
        .replaceAll('\\', '/')
        .split('/')
        .at(-1)
        ?.replace(/\.exe$/, '') ?? '',
  };
}

/** With a space between, where neither side brings one. */
function spaced(left: string, right: string): string {
  if (left === '' || right === '') return left + right;
  return left.endsWith(' ') || right.startsWith(' ') ? left + right : `${left} ${right}`;
}

/** The line as facts have it, from the name on. */
function lineOf(constraints: readonly Constraint[], name: string): string | undefined {
  const samples = samplesOf(constraints, 'line');
  if (samples === undefined) return undefined;
  const { whole, start, inside, end } = partsOf(samples);
  if (whole !== undefined) return whole;
  const head = start === '' ? (name === '' ? 'tool' : name) : start;
  const body = inside.reduce((line, part) => (line.includes(part) ? line : spaced(line, part)), head);
  if (end !== '') return body.endsWith(end) ? body : spaced(body, end);
  return body.endsWith(' ') ? `${body}x` : body;
}

function commandSketch({ constraints }: Alternative): ExampleSketch | undefined {
  const program = programOf(constraints);
  const line = program === undefined ? undefined : lineOf(constraints, program.name);
  const wrapper = valueOf(constraints, 'wrappers', ({ inside }) => inside.join(''));
  if (program === undefined || line === undefined || wrapper === undefined) return undefined;
  const trimmed = line.trimStart();
  const typed =
    program.typed !== program.name && trimmed.startsWith(program.name)
      ? `${shellLine(program.typed)} ${shellLine(trimmed.slice(program.name.length).trimStart())}`.trimEnd()
      : shellLine(trimmed);
  return { shell: wrapped(typed, wrapper) };
}

function pathSketch({ constraints }: Alternative, source: Source): ExampleSketch | undefined {
  const own = constraints.filter(({ target }) => !target.ofCommand);
  const raw = valueOf(own, 'raw', ({ start, inside, end }) => `${start}${inside.join('')}${end}`);
  const path = valueOf(own, 'path', ({ start, inside, end }) => {
    const body = [start, ...inside].filter((part) => part !== '').join('/');
    return `${start === '' ? '/srv/' : ''}${body}${end === '' ? 'x' : end}`;
  });
  if (raw === undefined || path === undefined) return undefined;
  const text = (raw === '' ? path : raw).replaceAll(/\/{2,}/g, '/');
  const program = programOf(constraints.filter(({ target }) => target.ofCommand));
  if (program !== undefined && program.name !== '') return { shell: `${program.typed} ${shellLine(text)}` };
  if (source.access.includes('read')) return { path: text };
  return source.access.includes('write') ? { path: text, access: 'write' } : { shell: `rm ${shellLine(text)}` };
}

function portOf(constraints: readonly Constraint[]): string {
  const tests = constraints.flatMap(({ test }) => (test.is === 'ranges' ? [test.ranges[0]?.from ?? 0] : []));
  const port = Math.max(0, ...tests);
  return port === 0 ? '' : `:${port}`;
}

function hostSketch({ constraints }: Alternative): ExampleSketch | undefined {
  const own = constraints.filter(({ target }) => !target.ofCommand);
  const host = valueOf(own, 'host', ({ start, inside, end }) => {
    const dotted = end === '' ? (start === '' || !start.endsWith('.') ? '.example' : 'example') : end;
    return `${start}${inside.join('')}${dotted.startsWith('.') && start === '' && inside.length === 0 ? `a${dotted}` : dotted}`;
  });
  const url = valueOf(own, 'url', ({ start, inside, end }) => {
    const head = start === '' ? 'http://host.example/' : start;
    return `${head}${inside.map((part) => part.replace(/^\//, '')).join('/')}${end}`;
  });
  if (host === undefined || url === undefined) return undefined;
  const where = url === '' ? `http://${host === '' ? 'host.example' : host}${portOf(own)}/` : url;
  const program = programOf(constraints.filter(({ target }) => target.ofCommand));
  return program === undefined || program.name === '' ? { url: where } : { shell: `${program.typed} ${shellLine(where)}` };
}

function sketchOf(alternative: Alternative, source: Source): ExampleSketch | undefined {
  if (source.factClass === 'command') return commandSketch(alternative);
  return source.factClass === 'path' ? pathSketch(alternative, source) : hostSketch(alternative);
}

/** Ways in which the texts of an expression can all be there; `not` asks for nothing. */
function textsOf(expression: Expression): readonly (readonly SigmaPattern[])[] {
  if (expression.op === 'text') return expression.patterns.filter(({ sample }) => sample !== undefined).map((pattern) => [pattern]);
  if (expression.op === 'or') return expression.items.flatMap(textsOf).slice(0, SIGMA_LIMITS.examplesMax);
  if (expression.op !== 'and') return [[]];
  return expression.items
    .map(textsOf)
    .reduce((left, right) => left.flatMap((a) => right.map((b) => [...a, ...b])).slice(0, SIGMA_LIMITS.examplesMax), [[]]);
}

function proseOf(samples: readonly SigmaPattern[]): string {
  const { whole, start, inside, end } = partsOf(samples);
  return whole ?? [start, ...inside, end].filter((part) => part !== '').join(' ');
}

/** Actions that a rule should find, the likeliest first; none where no text of a pattern is known. */
export function examplesOf(
  expression: Expression,
  made: { readonly alternatives: readonly Alternative[]; readonly source: Source | undefined },
): readonly ExampleSketch[] {
  const { alternatives, source } = made;
  const texts = textsOf(expression).map(proseOf);
  if (source === undefined || alternatives.length === 0)
    return texts
      .filter((text) => text !== '')
      .slice(0, SIGMA_LIMITS.examplesMax)
      .map((prompt) => ({ prompt }));
  const sketches = alternatives
    .map((alternative) => sketchOf(alternative, source))
    .filter((sketch): sketch is ExampleSketch => sketch !== undefined);
  const [text = ''] = texts;
  const full = sketches.map((sketch) =>
    text === '' || typeof sketch['shell'] !== 'string' ? sketch : { shell: `${sketch['shell']} ${shellLine(text)}` },
  );
  return full.slice(0, SIGMA_LIMITS.examplesMax);
}
