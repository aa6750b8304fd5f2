/**
 * @module What the fields of a Sigma log source are among the facts of an action. A program is known by its name and, where it was written as
 * a path, by that path; parents are the wrappers that a command stands under; what no action shows (users, hashes, integrity) is unseen.
 */
import type { FactClass } from '../fact-fields.ts';
import { type Expression, fieldIs, type SigmaPattern, type Target } from './expression.ts';
import { escaped, type Manner, patternOf, placed, type Token } from './sigma-pattern.ts';

/** A log source that actions show something of. */
export interface Source {
  readonly factClass: FactClass;
  /** Only facts with this access count. */
  readonly access: readonly string[];
  readonly fields: ReadonlyMap<string, SourceField>;
}

/** How values of a Sigma field are held against facts. */
export type SourceField =
  /** `slashes`: backslashes of the value are slashes in the facts. */
  | { readonly as: 'text'; readonly target: Target; readonly keepsCase: boolean; readonly slashes: boolean }
  | { readonly as: 'number'; readonly target: Target }
  | { readonly as: 'program'; readonly ofCommand: boolean }
  | { readonly as: 'parent' }
  /** Holds for this word, and for no other. */
  | { readonly as: 'always'; readonly word: string }
  /** A URL: whole values and beginnings must say the scheme. */
  | { readonly as: 'url' };

function textOf(field: string, more: { readonly keepsCase: boolean; readonly slashes?: boolean }): SourceField {
  return { as: 'text', target: { field, ofCommand: false }, keepsCase: more.keepsCase, slashes: more.slashes ?? false };
}

const PROGRAM: SourceField = { as: 'program', ofCommand: true };
const HOST = textOf('host', { keepsCase: false });
const PORT: SourceField = { as: 'number', target: { field: 'port', ofCommand: false } };
const PATH = textOf('path', { keepsCase: true, slashes: true });

function source(factClass: FactClass, access: readonly string[], fields: Readonly<Record<string, SourceField>>): Source {
  return { factClass, access, fields: new Map(Object.entries(fields)) };
}

const FILE = { TargetFilename: PATH, FileName: PATH, Image: PROGRAM };

const SOURCES: ReadonlyMap<string, Source> = new Map([
  [
    'process_creation',
    source('command', [], {
      CommandLine: textOf('line', { keepsCase: true }),
      Image: { as: 'program', ofCommand: false },
      ParentImage: { as: 'parent' },
    }),
  ],
  ['file_access', source('path', ['read', 'write', 'delete', 'execute'], FILE)],
  ['file_change', source('path', ['write'], FILE)],
  ['file_delete', source('path', ['delete'], FILE)],
  ['file_event', source('path', ['write'], FILE)],
  ['file_executable_detected', source('path', ['write'], FILE)],
  ['file_rename', source('path', ['write'], FILE)],
  [
    'network_connection',
    source('host', ['connect'], {
      DestinationHostname: HOST,
      DestinationIp: HOST,
      DestinationPort: PORT,
      Image: PROGRAM,
      Initiated: { as: 'always', word: 'true' },
    }),
  ],
  ['firewall', source('host', ['connect'], { dst_ip: HOST, dst_port: PORT })],
  ['dns', source('host', ['connect'], { query: HOST })],
  ['dns_query', source('host', ['connect'], { QueryName: HOST, Image: PROGRAM })],
  ['proxy', source('host', ['connect'], { 'c-uri': { as: 'url' }, 'cs-host': HOST, 'r-dns': HOST, dst_ip: HOST, dst_port: PORT })],
]);

export function sourceOf(category: string): Source | undefined {
  return SOURCES.get(category);
}

/** A value, as tokens, and how it is held. */
export interface ProgramValue {
  readonly tokens: readonly Token[];
  readonly manner: Manner;
}

function plainText(tokens: readonly Token[]): string | undefined {
  const [only] = tokens;
  if (tokens.length === 0) return '';
  return tokens.length === 1 && typeof only === 'object' ? only.text : undefined;
}

/** Behind the last separator; undefined where a `*` stands behind it or there is none. */
function lastName(tokens: readonly Token[]): readonly Token[] | undefined {
  const found: Token[] = [];
  for (const token of tokens.toReversed()) {
    if (token === '*') return undefined;
    if (typeof token === 'string') {
      found.unshift(token);
      continue;
    }
    const at = Math.max(token.text.lastIndexOf('/'), token.text.lastIndexOf('\\'));
    const rest = token.text.slice(at + 1);
    if (rest !== '') found.unshift({ text: rest });
    if (at !== -1) return found;
  }
  return undefined;
}

/** A program's name as facts have it: without `.exe`. */
function bareName(tokens: readonly Token[]): readonly Token[] {
  const last = tokens.at(-1);
  if (typeof last !== 'object' || !/\.exe$/i.test(last.text)) return tokens;
  const text = last.text.slice(0, -4);
  return text === '' ? tokens.slice(0, -1) : [...tokens.slice(0, -1), { text }];
}

function hasFolder(tokens: readonly Token[], name: readonly Token[]): boolean {
  const whole = plainText(tokens);
  const end = plainText(name);
  return whole === undefined || end === undefined || whole.length > end.length + 1;
}

function named(value: ProgramValue): SigmaPattern | undefined {
  return patternOf(bareName(value.tokens), value.manner, 'value');
}

interface Programs {
  /** Names, whole or in part. */
  readonly names: SigmaPattern[];
  /** Names that count where the program was not written as a path. */
  readonly bare: SigmaPattern[];
  /** The path as it was written. */
  readonly paths: SigmaPattern[];
}

/** Without a separator: any part of the name, or of the path as it was written. */
function sortPart(value: ProgramValue, path: SigmaPattern, into: Programs): void {
  const part = value.manner.place === 'start' ? undefined : named(value);
  if (part !== undefined) into.names.push(part);
  into.paths.push(path);
}

/** False where the value would hold for every program. */
function sortProgram(written: ProgramValue, into: Programs): boolean {
  const { tokens, place } = placed(written.tokens, written.manner.place);
  const value: ProgramValue = { tokens, manner: { ...written.manner, place, anySlash: true } };
  const path = patternOf(tokens, value.manner, 'value');
  if (path === undefined) return false;
  const name = lastName(tokens);
  if (name === undefined && !tokens.some((token) => typeof token === 'object' && /[\\/]/.test(token.text))) {
    sortPart(value, path, into);
    return true;
  }
  const isOpen = place === 'start' || place === 'inside';
  const whole = isOpen || name === undefined ? undefined : named({ tokens: name, manner: { ...value.manner, place: 'whole' } });
  if (whole === undefined || name === undefined || name.length === 0) into.paths.push(path);
  else if (hasFolder(tokens, name)) {
    into.bare.push(whole);
    into.paths.push(path);
  } else into.names.push(whole);
  return true;
}

/**
 * Values of `Image`. A bare name counts as in the folder that the rule names: nobody sees where the system finds it.
 * Undefined: one of them holds for every program.
 */
export function programIs(values: readonly ProgramValue[], ofCommand: boolean): Expression | undefined {
  const sorted: Programs = { names: [], bare: [], paths: [] };
  for (const value of values) if (!sortProgram(value, sorted)) return undefined;
  const name: Target = { field: 'name', ofCommand };
  const program: Target = { field: 'program', ofCommand };
  const bare: Expression = {
    op: 'and',
    items: [fieldIs(name, sorted.bare), { op: 'field', target: program, test: { is: 'empty' } }],
  };
  const items = [
    ...(sorted.names.length > 0 ? [fieldIs(name, sorted.names)] : []),
    ...(sorted.paths.length > 0 ? [fieldIs(program, sorted.paths)] : []),
    ...(sorted.bare.length > 0 ? [bare] : []),
  ];
  return { op: 'or', items };
}

/** Values of `ParentImage`: the command stands under a wrapper of this name. Undefined where a value names no program. */
export function parentIs(values: readonly ProgramValue[]): Expression | undefined {
  const patterns: SigmaPattern[] = [];
  for (const { tokens, manner } of values) {
    const name = manner.place === 'whole' || manner.place === 'end' ? lastName(tokens) : undefined;
    const text = name === undefined ? undefined : plainText(bareName(name));
    const found = text === undefined || text === '' ? undefined : patternOf([{ text }], { ...manner, place: 'whole' }, 'value');
    if (text === undefined || found === undefined) return undefined;
    patterns.push({ pattern: { regex: `^${escaped(text.toLowerCase())}(?: .*)?$` }, sample: text.toLowerCase(), place: 'whole' });
  }
  return fieldIs({ field: 'wrappers', ofCommand: false }, patterns);
}
