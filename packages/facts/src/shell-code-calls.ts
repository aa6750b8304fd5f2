/**
 * @module Calls of inline code that touch files and hosts, as the commands that do the same: `shutil.rmtree('/x')` is `rm -r /x`. So one
 * set of rules speaks of both. Only literal arguments are seen; code that builds them is not understood, and its command says so.
 */
import { readLiterals } from './shell-literals.ts';
import { wordSet } from './word-set.ts';

const CALLS_MAX = 32;
const CALL =
  /\b([A-Za-z_][\w.:]{0,48}(?:\.|::|->))?(rmtree|remove|removedirs|delete|unlink(?:Sync)?|rmdir(?:Sync)?|rm(?:Sync)?|rm_rf|rm_r|remove_dir|open|fopen|readFile(?:Sync)?|read_text|file_get_contents|readfile|slurp|writeFile(?:Sync)?|appendFile(?:Sync)?|write_text|file_put_contents|urlopen|urlretrieve|fetch|get|post|put|request|connect|create_connection|createConnection|fsockopen|stream_socket_client|chmod(?:Sync)?|rename(?:Sync)?|copyfile|copy(?:Sync)?|copyFileSync|symlink(?:Sync)?)\s{0,4}[( ]\s{0,4}\(?\s{0,4}(?:(?:my\s{1,4})?\$?\w{1,24}\s{0,4},\s{0,4}|(?:pathlib\.)?Path\(\s{0,2})?(?=['"])/g;
const DELETES = wordSet('remove delete unlink unlinkSync');
/** `delete` is a word of many libraries; of these it deletes files. */
const FILE_CLASS = /^(?:File|Dir|FileUtils|Pathname|Files)(?:\.|::)$/;
const TREES = wordSet('rmtree removedirs rmdir rmdirSync rm rmSync rm_rf rm_r remove_dir');
const READS = wordSet('readFile readFileSync read_text file_get_contents readfile slurp');
const WRITES = wordSet('writeFile writeFileSync appendFile appendFileSync write_text file_put_contents');
const URLS = wordSet('urlopen urlretrieve fetch get post put request');
const SOCKETS = wordSet('connect create_connection createConnection fsockopen stream_socket_client');
const TWO = wordSet('rename renameSync copyfile copy copySync copyFileSync symlink symlinkSync');
const RECURSIVE = /^[^\n;]{0,80}recursive\s{0,2}:\s{0,2}true/;
const WRITE_MODE = /^[^)\n]{0,40}['"](?:[wax]b?\+?|>{1,2})['"]/;

interface Call {
  readonly name: string;
  readonly literals: readonly string[];
  /** Code behind the last literal. */
  readonly rest: string;
}

/** `open($f, ">", "x")` of Perl has its path last; everywhere else it comes first. */
function openWords({ literals, rest }: Call): readonly string[] {
  const [first = '', second = ''] = literals;
  if (/^[<>+]{1,3}$/.test(first)) return [first.includes('>') ? 'tee' : 'cat', second];
  if (/^>{1,2}/.test(first)) return ['tee', first.replace(/^>+\s*/, '')];
  return [/^[wax]b?\+?$/.test(second) || WRITE_MODE.test(rest) ? 'tee' : 'cat', first.replace(/^<\s*/, '')];
}

const FETCHED = /^(?:https?|ftp):/i;

function deleteWords({ name, rest, literals: [first = ''] }: Call): readonly string[] {
  const recursive = RECURSIVE.test(rest);
  if (name.startsWith('rmdir') && !recursive) return ['rmdir', first];
  return DELETES.has(name) || (/^rm(?:Sync)?$/.test(name) && !recursive) ? ['rm', first] : ['rm', '-r', '-f', first];
}

function connectWords({ name, literals: [first = ''] }: Call): readonly string[] | undefined {
  if (URLS.has(name)) return FETCHED.test(first) ? ['curl', first] : undefined;
  return /^[\w.:-]{1,253}$/.test(first) ? ['nc', first] : undefined;
}

function moveWords({ name, literals }: Call): readonly string[] | undefined {
  if (literals.length < 2) return undefined;
  const command = name.startsWith('rename') ? 'mv' : 'ln';
  return [name.startsWith('copy') ? 'cp' : command, ...literals.slice(0, 2)];
}

function wordsOf(call: Call): readonly string[] | undefined {
  const { name, literals } = call;
  const [first = ''] = literals;
  if (name === 'open' || name === 'fopen') return openWords(call);
  if (TREES.has(name) || DELETES.has(name)) return deleteWords(call);
  if (READS.has(name)) return [FETCHED.test(first) ? 'curl' : 'cat', first];
  if (WRITES.has(name)) return ['tee', first];
  if (URLS.has(name) || SOCKETS.has(name)) return connectWords(call);
  return TWO.has(name) ? moveWords(call) : undefined;
}

/** Commands that do what the code does to files and hosts, in order. Linear; at most `CALLS_MAX`. */
export function codeCommands(code: string): readonly (readonly string[])[] {
  const commands: (readonly string[])[] = [];
  CALL.lastIndex = 0;
  for (let found = CALL.exec(code); found !== null && commands.length < CALLS_MAX; found = CALL.exec(code)) {
    const { literals, end } = readLiterals(code, CALL.lastIndex);
    const name = found[2] ?? '';
    const counts = name !== 'delete' || FILE_CLASS.test(found[1] ?? '');
    const words = counts ? wordsOf({ name, literals, rest: code.slice(end, end + 128) }) : undefined;
    if (words !== undefined && words.at(-1) !== '') commands.push(words);
    CALL.lastIndex = Math.max(end, CALL.lastIndex);
  }
  return commands;
}
