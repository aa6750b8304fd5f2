/**
 * @module Paths: every path an action names, in parameters, in arguments and redirects of commands, and in short texts.
 */
import type { Action, CommandFact, PathAccess, PathFact, Signal, Span } from '@countersign/protocol';
import type { ReadText } from './read-text.ts';
import { FACTS_LIMITS } from './limits.ts';
import type { Meter } from './meter.ts';
import { normalizePath } from './normalize-path.ts';
import { argumentAccess, type ArgumentPlace, isPathKey, parameterAccess, redirectAccess } from './path-access.ts';
import { TRAIT } from './profile.ts';
import { wordSet } from './word-set.ts';

/** Paths found so far in one action. */
export interface PathFinder {
  readonly meter: Meter;
  readonly kind: string;
  readonly tool: string;
  /** Normalized path to where a recorded resolver said it leads. */
  readonly links: ReadonlyMap<string, string>;
  readonly found: Map<string, PathFact>;
}

function linksOf(signals: readonly Signal[]): Map<string, string> {
  const links = new Map<string, string>();
  for (const signal of signals) {
    if (signal.kind === 'symlink' && typeof signal.value === 'string') links.set(signal.subject, normalizePath(signal.value).normalized);
  }
  return links;
}

/** Starts a search. Signals of kind `symlink` say where normalized paths lead. */
export function createPathFinder(action: Action, signals: readonly Signal[], meter: Meter): PathFinder {
  return { meter, kind: action.kind, tool: action.tool?.toLowerCase() ?? '', links: linksOf(signals), found: new Map() };
}

interface Place {
  readonly span: Span;
  readonly access: PathAccess;
  readonly layers: readonly string[];
  readonly command: number;
}

const STRENGTH: Readonly<Record<PathAccess, number>> = { mention: 0, read: 1, execute: 2, write: 3, delete: 4 };

/** Takes one path in; of the same path the strongest mention stays, and one place for each kind of access. */
function add(finder: PathFinder, text: string, place: Place): void {
  const { found, meter, links } = finder;
  meter.steps += text.length;
  const path = normalizePath(text);
  if (path.cut) meter.cuts.add('paths');
  const base = `${path.normalized}\n${place.span.path}`;
  const key = place.access === 'mention' ? base : `${base}\n${place.access}\n${place.command}`;
  const known = found.get(key);
  if (known !== undefined && (known.traversal || !path.traversal)) return;
  if (known === undefined && found.size >= FACTS_LIMITS.pathsMax) {
    meter.cuts.add('paths');
    return;
  }
  const resolved = links.get(path.normalized);
  found.set(key, {
    span: place.span,
    raw: path.raw,
    normalized: path.normalized,
    ...(resolved === undefined ? {} : { resolved }),
    access: place.access,
    traversal: path.traversal,
    layers: [...place.layers, ...path.layers],
    command: place.command,
  });
}

/** A text that is a path as a whole. */
const SHAPE =
  /^(?:\/(?!\/[^/])|~(?:\/|$)|~[a-z_][a-z0-9_-]{0,31}\/|\.{1,2}[/\\]|\.\.$|[a-zA-Z]:[\\/]|\\\\|file:|netdoc:|\$HOME|\$\{HOME\}|%(?:2e|2f|5c|c0|u221)|\.\.?%|\.{4}[/\\])/i;
const DOT_NAME =
  /^\.(?:env|git|ssh|aws|npmrc|netrc|bashrc|profile|zshrc|kube|docker|gnupg|pypirc|htpasswd|htaccess|vault-token)(?:$|[./])/i;
const INNER_TRAVERSAL = /(?:^|[/\\])\.\.(?:[/\\]|$)|\.\.(?:%2f|%5c|%c0|%25|%u221)|%2e%2e|%252e/i;
const PATH_TEXT_MAX = 1024;

function isPathShape(text: string): boolean {
  if (SHAPE.test(text) || DOT_NAME.test(text)) return true;
  return text.length <= PATH_TEXT_MAX && INNER_TRAVERSAL.test(text) && !/\s/.test(text.trim());
}

/** Words of a text that stand for a path: after a blank, quote, `=`, `(`, `,`, `:` or at the start. */
const EMBEDDED = /(?:^|[\s"'`=(<>[,;|@{])((?:\/|~\/|\.{1,2}\/|file:\/\/\/|[A-Za-z]:\\|\$HOME\/|\$\{HOME\}\/)[^\s"'`<>|,;(){}]{1,512})/g;
const TAIL = /[.,;:!?)\]]{1,8}$/;

function addEmbedded(finder: PathFinder, read: ReadText): void {
  const { text, span, layers } = read.fact;
  finder.meter.steps += text.length;
  for (const match of text.matchAll(EMBEDDED)) {
    const word = (match[1] ?? '').replace(TAIL, '');
    if (word.length < 2 || word.startsWith('//')) continue;
    const start = match.index + match[0].length - (match[1] ?? '').length;
    const at = layers.length > 0 ? span : { path: span.path, start, end: start + word.length };
    add(finder, word, { span: at, access: 'mention', layers, command: -1 });
  }
}

/** Every shape has one of these, or begins with `~` or `$`. */
const SHAPES_HOW = TRAIT.slash | TRAIT.backslash | TRAIT.percent | TRAIT.colon | TRAIT.dot | TRAIT.other;
const LOOKS_HOW = TRAIT.slash | TRAIT.backslash | TRAIT.percent;

/** Paths in one text: as a whole by key or shape, else each word of path shape. Keys, descriptors and the joined view are not searched. */
export function addTextPaths(finder: PathFinder, read: ReadText): void {
  const { fact, profile } = read;
  const { role, text, span, layers } = fact;
  if (role === 'key' || role === 'descriptor' || role === 'joined') return;
  if (role === 'param' && isWholePath(read)) {
    add(finder, text, { span, access: parameterAccess(finder.kind, finder.tool, read.key), layers, command: -1 });
    return;
  }
  if ((profile.mask & LOOKS_HOW) !== 0 && text.length <= FACTS_LIMITS.pathTextMax) addEmbedded(finder, read);
}

/** A parameter that is one path, by its key or by its shape. */
function isWholePath(read: ReadText): boolean {
  const { text } = read.fact;
  if (text.includes('\n')) return false;
  if (isPathKey(read.key, text)) return !text.includes('://') || /^(?:file|netdoc):/i.test(text);
  if ((read.profile.mask & SHAPES_HOW) === 0) return false;
  const trimmed = text.length <= PATH_TEXT_MAX ? text.trim() : '';
  return trimmed !== '' && !/\s/.test(trimmed) && isPathShape(trimmed);
}

/** A path out of a `file:` URL. */
export function addFileUrl(finder: PathFinder, path: string, span: Span): void {
  add(finder, path, { span, access: 'read', layers: [], command: -1 });
}

const OPTION_VALUE = /^-{1,2}[A-Za-z][\w-]{0,40}[=:]?(?=[/~.$])/;
const ASSIGNED = /^[A-Za-z_][\w.-]{0,40}=(?=[/~.$@])/;
const ARG_CHARS_MAX = 4096;

/** The part of an argument that may be a path: `--file=/x`, `of=/dev/sda`, `@/etc/passwd`, `-I/usr`. */
function pathPart(arg: string): string {
  return arg.slice(0, ARG_CHARS_MAX).replace(OPTION_VALUE, '').replace(ASSIGNED, '').replace(/^@/, '');
}

const TOUCHES_ANY = /^[^\s'"|&;()<>{}]+\.[A-Za-z0-9]{1,8}$|^[\w.-]+\/[\w./*-]+$/;

/** What every path in an argument has. */
const PATH_SIGN = /[/.~$%\\:]/;

/** A path with blanks in its names, and nothing that a script or a sentence would have. */
const SPACED = /^(?:file:)?(?:~|\$HOME|\$\{HOME\})?\/(?:[\w.@+-]+(?: [\w.@+-]+)*\/)+[\w.@+-]+(?: [\w.@+-]+)*(?:\?[\w=&]{1,64})?$/;

function isArgumentPath(arg: string, access: PathAccess): boolean {
  if (arg === '' || arg.startsWith('-') || arg.includes('://')) return false;
  if (/\s/.test(arg)) return SPACED.test(arg);
  return isPathShape(arg) || (access !== 'mention' && TOUCHES_ANY.test(arg));
}

/** Operands that are scripts, patterns or expressions, not paths, stand first after these names. */
const SCRIPT_FIRST: ReadonlySet<string> = new Set([
  'sed',
  'awk',
  'gawk',
  'grep',
  'egrep',
  'fgrep',
  'rg',
  'jq',
  'yq',
  'tr',
  'chmod',
  'chown',
]);

/** To these, `/s` is an option. */
const WINDOWS_NAMES = wordSet(
  'del erase rd copy xcopy robocopy move dir attrib type cmd icacls takeown format schtasks reg net sc taskkill tasklist findstr',
);

/** Paths in the arguments and redirects of one command. */
export function addCommandPaths(finder: PathFinder, command: CommandFact, index: number): void {
  const { args, span } = command;
  const options = args.filter((arg) => arg.startsWith('-'));
  const lastOperand = args.findLastIndex((arg) => !arg.startsWith('-'));
  let operands = 0;
  for (const [i, arg] of args.entries()) {
    finder.meter.steps += arg.length;
    if (!arg.startsWith('-')) operands += 1;
    const previous = args[i - 1] ?? '';
    const place = { last: i === lastOperand, option: previous.startsWith('-') ? previous : '', options };
    addArgument(finder, { command, index, arg, first: operands === 1 }, place);
  }
  for (const redirect of command.redirects) {
    const duplicate = redirect.operator.includes('&') && /^[\d-]*$/.test(redirect.target);
    if (duplicate || redirect.operator.startsWith('<<')) continue;
    add(finder, redirect.target, { span, access: redirectAccess(redirect.operator), layers: [], command: index });
  }
}

interface Argument {
  readonly command: CommandFact;
  readonly index: number;
  readonly arg: string;
  /** The first that is no option. */
  readonly first: boolean;
}

function ddAccess(arg: string): PathAccess | undefined {
  if (arg.startsWith('of=')) return 'write';
  return arg.startsWith('if=') ? 'read' : undefined;
}

function addArgument(finder: PathFinder, argument: Argument, place: ArgumentPlace): void {
  const { command, index, arg, first } = argument;
  if (!PATH_SIGN.test(arg)) return;
  const part = pathPart(arg);
  const access = ddAccess(arg) ?? argumentAccess(command.name, place);
  if (WINDOWS_NAMES.has(command.name) && /^\/[a-z?]{1,2}(?::.{0,8})?$/i.test(arg)) return;
  const script = first && SCRIPT_FIRST.has(command.name) && !isPathShape(part);
  if (!script && isArgumentPath(part, access)) add(finder, part, { span: command.span, access, layers: [], command: index });
}

/** All paths; a bare mention of a path that is touched too is left out. */
export function pathFacts(finder: PathFinder): PathFact[] {
  const touched = new Map<string, number>();
  for (const fact of finder.found.values()) {
    touched.set(fact.normalized, Math.max(touched.get(fact.normalized) ?? 0, STRENGTH[fact.access]));
  }
  return [...finder.found.values()].filter((fact) => fact.access !== 'mention' || (touched.get(fact.normalized) ?? 0) === 0);
}
