/**
 * @module Languages: which texts of an action are given to the shell reader and to the SQL reader. What an action runs is read always;
 * what merely might be a command or a statement is read when it looks like one.
 */
import type { Action, Span } from '@countersign/protocol';
import type { ReadText } from './read-text.ts';
import { TRAIT } from './profile.ts';
import { hasSqlVerb } from './text-index.ts';
import { wordSet } from './word-set.ts';

/** A text for a reader, and where it came from. */
export interface LanguageText {
  readonly text: string;
  readonly span: Span;
  readonly layers: readonly string[];
}

type LooksLike = (text: string) => boolean;

const SHELL_KEYS = wordSet(
  'command cmd commands cmdline command_line commandline shell_command shellcommand script bash sh shell run exec argv',
);
const ARGUMENT_KEYS = wordSet('args arguments argv params parameters');
const SHELL_TOOL = /^(?:shell|bash|sh|terminal|process|exec|command|run_command|execute_command)(?:[._-]|$)/;
const SQL_KEYS = wordSet('sql query statement sql_query sqlquery stmt queries statements');
const SQL_TOOL = /^(?:database|db|sql|postgres|postgresql|mysql|sqlite|mssql|bigquery|snowflake)(?:[._-]|$)/;

function isShellAction(action: Action): boolean {
  return action.kind === 'shell.exec' || SHELL_TOOL.test(action.tool ?? '');
}

function isSqlAction(action: Action): boolean {
  return action.kind === 'db.query' || SQL_TOOL.test(action.tool ?? '');
}

/** A path or a URL on its own runs nothing. */
const ONE_PATH = /^[^\s;|&$`<>()]{1,4096}$/;
const SAFE_WORD = /^[\w@%+=:,./-]+$/;

function quoteWord(word: string): string {
  return SAFE_WORD.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

interface Vector {
  readonly line: LanguageText;
  readonly words: ReadonlySet<ReadText>;
}

/** Arrays of words are one command line: `["bash", "-c", "..."]`, or `command` and `args`. */
function argumentVector(texts: readonly ReadText[]): Vector | undefined {
  const words: ReadText[] = [];
  let listed = 0;
  for (const read of commandFirst(texts)) {
    if (!isVectorWord(read, words.length > 0)) continue;
    words.push(read);
    if (isListed(read) || ARGUMENT_KEYS.has(read.key)) listed += 1;
  }
  const first = words[0];
  if (first === undefined || listed === 0 || words.length < 2) return undefined;
  const line = words.map((read, i) => lineWord(read, i === 0)).join(' ');
  return { line: { text: line, span: first.fact.span, layers: [] }, words: new Set(words) };
}

/** Keys of an object have no order: what is run stands before what it is given, whatever their keys are called. */
function commandFirst(texts: readonly ReadText[]): readonly ReadText[] {
  const isArgument = (read: ReadText): boolean => ARGUMENT_KEYS.has(read.key);
  return texts.some(isArgument) ? [...texts.filter((read) => !isArgument(read)), ...texts.filter(isArgument)] : texts;
}

/** A word of a command line given in parts; arguments count after a command, or in a list. */
function isVectorWord(read: ReadText, begun: boolean): boolean {
  if (read.fact.role !== 'param' || read.fact.layers.length > 0) return false;
  return SHELL_KEYS.has(read.key) || (ARGUMENT_KEYS.has(read.key) && (begun || isListed(read)));
}

/** True for an item of an array. */
function isListed(read: ReadText): boolean {
  return /\/\d{1,5}$/.test(read.fact.span.path);
}

/** A first word with blanks is a line of its own, as is an `args` string. */
function lineWord(read: ReadText, first: boolean): string {
  return (first && /\s/.test(read.fact.text)) || !isListed(read) ? read.fact.text : quoteWord(read.fact.text);
}

function textOf(read: ReadText): LanguageText {
  const { text, span, layers } = read.fact;
  return { text, span, layers };
}

/** A word of a command line that is a line of its own: some callers join the words and give them to a shell. */
function isLine(text: string, looksLikeShell: LooksLike): boolean {
  return !ONE_PATH.test(text) && looksLikeShell(text);
}

/** Texts for the shell reader: parameters of a shell action and parameters with a shell key always, other parameters by their looks. */
export function shellTextsOf(action: Action, reads: { readonly texts: readonly ReadText[] }, looksLikeShell: LooksLike): LanguageText[] {
  const chosen: LanguageText[] = [];
  const place = { shell: isShellAction(action), prose: action.kind === 'file.write' || action.kind === 'file.patch', looksLikeShell };
  const vector = argumentVector(reads.texts);
  if (vector !== undefined) chosen.push(vector.line);
  for (const read of reads.texts) {
    const { role } = read.fact;
    const word = vector?.words.has(read) === true;
    const runs =
      role === 'content' ? place.shell : role === 'param' && (word ? isLine(read.fact.text, looksLikeShell) : mayRun(read, place));
    if (runs) chosen.push(textOf(read));
  }
  return chosen;
}

interface ShellPlace {
  readonly shell: boolean;
  /** The parameters hold the text of a file. */
  readonly prose: boolean;
  readonly looksLikeShell: LooksLike;
}

/** A parameter that runs by its key, or that looks like it. A layer must look like it in any case. */
function mayRun(read: ReadText, place: ShellPlace): boolean {
  const { text, layers } = read.fact;
  const sure = SHELL_KEYS.has(read.key) || (place.shell && !isShellDetail(read.key));
  if (sure && layers.length === 0) return true;
  if (!sure && (place.prose || ONE_PATH.test(text))) return false;
  return place.looksLikeShell(text);
}

const SHELL_DETAILS = wordSet(
  'cwd workdir working_directory workingdirectory description timeout env environment shell_type user id session_id reason',
);

/** Parameters of a shell action that do not run. */
function isShellDetail(key: string): boolean {
  return SHELL_DETAILS.has(key) || ARGUMENT_KEYS.has(key);
}

/**
 * Prose without digits, signs of syntax or a verb is no SQL and no fragment of it. The joined view is read for whole statements only,
 * which have a verb: fragments were read in their leaves.
 */
function mayBeSql(read: ReadText): boolean {
  const { profile, fact, hits } = read;
  const signs =
    profile.digits > 0 || (profile.mask & (TRAIT.syntax | TRAIT.nonAscii | TRAIT.slash | TRAIT.backslash | TRAIT.control)) !== 0;
  return (signs && fact.role !== 'joined') || hasSqlVerb(fact.lower, hits);
}

/** Texts for the SQL reader: statements of a database action always, other parameters by their looks. */
export function sqlTextsOf(action: Action, texts: readonly ReadText[], looksLikeSql: LooksLike): LanguageText[] {
  const database = isSqlAction(action);
  const chosen: LanguageText[] = [];
  for (const read of texts) {
    const { role, layers, text } = read.fact;
    if (role !== 'param' && role !== 'joined' && !(role === 'content' && database)) continue;
    const sure = database && layers.length === 0 && role !== 'joined' && SQL_KEYS.has(read.key);
    if (sure || (mayBeSql(read) && looksLikeSql(text))) chosen.push(textOf(read));
  }
  return chosen;
}
