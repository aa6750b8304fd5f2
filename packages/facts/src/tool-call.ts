/**
 * @module Tool calls: what a developers' tool is asked to do, read from its command line: `git -C x --no-pager push -f` is the verb
 * `git push` with the flag `--force`, wherever the words stand. One pass over the words; nothing is kept of tools that are not known.
 */
import type { ToolCall } from '@countersign/protocol';
import { bodyOf } from './tool-body.ts';
import { FACTS_LIMITS } from './limits.ts';
import { packageNames, resembled } from './package-names.ts';
import { kubernetesResources } from './kubernetes-names.ts';
import { ACTS, toolRow, type ToolRow } from './tool-table.ts';

interface Reader {
  readonly row: ToolRow;
  /** Operands in order, the verb's words first. */
  readonly operands: string[];
  /** In order; the last word on a switch holds. */
  readonly flags: Set<string>;
  verbWords: number;
  verb: string;
  /** The last thing read was an option: a verb that ends at the first one has ended. */
  closed: boolean;
}

const FALSE = /^(?:false|0|no|f|off|n)$/i;
const TRUE = /^(?:true|1|yes|t|on|y)$/i;

/** Whether the verb still takes a further word. */
function verbTakes(reader: Reader, word: string): boolean {
  const { row, operands, verbWords } = reader;
  if (verbWords !== operands.length || reader.closed) return false;
  const { depth } = row;
  if (typeof depth === 'number') return verbWords < depth;
  return VERB_WORD.test(word) && isOpen(row, operands, verbWords);
}

const VERB_WORD = /^[a-z][\w:.-]{0,63}$/i;

/** Whether a verb of so many words can go on. */
function isOpen({ depth, groups }: ToolRow, operands: readonly string[], verbWords: number): boolean {
  if (depth === 'grouped') return verbWords === 0 || (verbWords === 1 && groups.has(operands[0] ?? ''));
  return verbWords < FACTS_LIMITS.verbWordsMax && (depth === 'all' || verbWords < 2 || !ACTS.has(operands.at(-1) ?? ''));
}

function addOperand(reader: Reader, word: string): void {
  const takes = verbTakes(reader, word);
  reader.operands.push(word);
  if (!takes) return;
  const lower = word.toLowerCase();
  if (reader.row.depth === 'acting' && reader.verbWords === 0 && /^(?:alpha|beta|preview)$/.test(lower)) {
    reader.operands.pop();
    return;
  }
  reader.operands[reader.verbWords] = lower;
  reader.verbWords += 1;
  const written = reader.operands.slice(0, reader.verbWords).join(' ');
  reader.verb = reader.row.aliases.get(written) ?? written;
}

/** `flag`, by the name it has for this verb. */
function lookUp<T>(reader: Reader, name: string, find: (key: string) => T | undefined): T | undefined {
  const [first = ''] = reader.verb.split(' ', 1);
  return find(`${reader.verb}.${name}`) ?? find(`${first}.${name}`) ?? find(name);
}

/** A long name in full, where only one known name begins like it. */
function inFull(row: ToolRow, name: string): string {
  if (name.length < 3 || row.shortened.includes(name)) return name;
  const fits = row.shortened.filter((full) => full.startsWith(name));
  return fits.length === 1 ? (fits[0] ?? name) : name;
}

function takesValue(reader: Reader, name: string): boolean {
  return lookUp(reader, name, (key) => (reader.row.values.has(key) ? true : undefined)) === true;
}

/** Words an option took: itself, and its value where that is the next one. */
function readLong(reader: Reader, written: string, next: string | undefined): number {
  const equals = written.indexOf('=');
  const name = inFull(reader.row, (equals === -1 ? written : written.slice(0, equals)).toLowerCase());
  if (equals !== -1) {
    const value = written.slice(equals + 1);
    const isSwitch = !takesValue(reader, name);
    if (isSwitch && FALSE.test(value)) reader.flags.delete(`--${name}`);
    else reader.flags.add(isSwitch && TRUE.test(value) ? `--${name}` : `--${name}=${value}`);
    return 1;
  }
  if (next === undefined || !takesValue(reader, name)) {
    reader.flags.add(`--${name}`);
    return 1;
  }
  reader.flags.add(`--${name}=${next}`);
  return wordsTaken(next);
}

/** A value that looks like an option is read as one too: the table may be wrong about what takes a value, and nothing hides behind that. */
function wordsTaken(value: string): number {
  return value.length > 1 && value.startsWith('-') ? 1 : 2;
}

/** Words a cluster of letters took. */
function readLetters(reader: Reader, cluster: string, next: string | undefined): number {
  for (let i = 1; i < cluster.length; i += 1) {
    const letter = cluster[i] ?? '';
    const long = lookUp(reader, letter, (key) => reader.row.letters.get(key));
    if (long === undefined) {
      reader.flags.add(`-${letter}`);
      continue;
    }
    for (const name of long.split('+')) {
      if (!takesValue(reader, name)) {
        reader.flags.add(`--${name}`);
        continue;
      }
      const rest = cluster.slice(i + 1).replace(/^=/, '');
      if (rest === '' && next === undefined) return 1;
      reader.flags.add(`--${name}=${rest === '' ? (next ?? '') : rest}`);
      return rest === '' ? wordsTaken(next ?? '') : 1;
    }
  }
  return 1;
}

function readOption(reader: Reader, word: string, next: string | undefined): number {
  reader.closed ||= reader.row.depth === 'all' && reader.verbWords > 0;
  if (word.startsWith('--')) return readLong(reader, word.slice(2), next);
  return reader.row.oneDash ? readLong(reader, word.slice(1), next) : readLetters(reader, word, next);
}

/** Whether the words from here on are another command's. */
function beginsInner(reader: Reader): boolean {
  const { row, operands, verbWords } = reader;
  const name = reader.verb === '' ? row.tool : reader.verb;
  return row.inner.has(name) && operands.length > verbWords;
}

function readWords(reader: Reader, args: readonly string[]): void {
  let i = 0;
  while (i < args.length) {
    const word = args[i] ?? '';
    if (word === '--') {
      for (const rest of args.slice(i + 1)) reader.operands.push(rest);
      return;
    }
    if (word.length > 1 && word.startsWith('-')) {
      i += readOption(reader, word, args[i + 1]);
      continue;
    }
    addOperand(reader, word);
    i += 1;
    if (beginsInner(reader)) return;
  }
}

const METHOD = /^[a-z]{3,7}$/i;
const SENDS = /^--(?:data|form|json|post-)/;

/** The method of a request is its verb. */
function httpVerb(reader: Reader, flags: readonly string[]): string {
  const { operands, row } = reader;
  const said = flags.find((flag) => /^--(?:request|method)=/.test(flag));
  const [first = ''] = operands;
  if (said !== undefined) return said.slice(said.indexOf('=') + 1).toLowerCase();
  if (row.tool === 'http' && METHOD.test(first) && operands.length > 1) {
    operands.shift();
    return first.toLowerCase();
  }
  if (flags.some((flag) => flag.startsWith('--upload-file'))) return 'put';
  if (flags.includes('--head')) return 'head';
  return flags.some((flag) => SENDS.test(flag)) && !flags.includes('--get') ? 'post' : 'get';
}

const HTTP: ReadonlySet<string> = new Set(['curl', 'wget', 'http']);

function verbOf(reader: Reader, flags: readonly string[]): string {
  const { row, verb } = reader;
  if (HTTP.has(row.tool)) return `http ${httpVerb(reader, flags)}`;
  return verb === '' ? row.tool : `${row.tool} ${verb}`;
}

/** `python -m pip install` is pip. */
function asModule(name: string, args: readonly string[]): readonly [string, readonly string[]] | undefined {
  if (!/^(?:python|pypy)[\d.]{0,8}$|^py$/.test(name)) return undefined;
  const at = args.indexOf('-m');
  const module = args[at + 1];
  return at === -1 || at > 8 || module === undefined ? undefined : [module.toLowerCase(), args.slice(at + 2)];
}

function createReader(row: ToolRow): Reader {
  return { row, operands: [], flags: new Set(), verbWords: 0, verb: '', closed: false };
}

/** What a known tool is asked to do; `input` is what it reads, where that is known. Undefined for a tool that is not known. */
export function readToolCall(name: string, args: readonly string[], input: string | undefined): ToolCall | undefined {
  const row = toolRow(name);
  if (row === undefined) {
    const module = asModule(name, args);
    return module === undefined || toolRow(module[0]) === undefined ? undefined : readToolCall(module[0], module[1], input);
  }
  const reader = createReader(row);
  readWords(reader, args);
  // What is typed into `redis-cli` is its command line.
  if (row.tool === 'redis' && reader.verbWords === 0 && input !== undefined)
    readWords(reader, (input.trim().split('\n', 1)[0] ?? '').split(/\s+/));
  const flags = [...reader.flags];
  const verb = verbOf(reader, flags);
  const operands = reader.operands.slice(reader.verbWords);
  const body = bodyOf({ verb, flags, operands }, input);
  const packages = packageNames(verb, operands);
  return {
    tool: row.tool,
    verb,
    resources: row.tool === 'kubectl' ? kubernetesResources(reader.verb, operands) : packages.map((found) => found.name),
    flags,
    operands,
    resembles: resembled(packages),
    ...(body === undefined ? {} : { body }),
  };
}
