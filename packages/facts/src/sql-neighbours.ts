/** @module What a SQL word gives away together with its neighbours: settings that name files and programs, table functions, languages. */
import { plainAt, textAt, type Token } from './sql-tokens.ts';

/** Settings whose value is a file that the server writes, or a program that it runs. */
const FILE_SETTINGS: ReadonlySet<string> = new Set(['general_log_file', 'slow_query_log_file', 'log_error']);
const PROGRAM_SETTINGS: ReadonlySet<string> = new Set([
  'archive_command',
  'restore_command',
  'archive_cleanup_command',
  'ssl_passphrase_command',
  'shared_preload_libraries',
  'session_preload_libraries',
  'local_preload_libraries',
]);
/** Languages whose functions may do what the server may. */
const UNTRUSTED = /^(?:plpython\d?u|plperlu|pltclu|plsh|c)$/;
/** Table functions that read files, addresses and programs. */
const SOURCES: ReadonlyMap<string, string> = new Map([
  ['file', 'file'],
  ['url', 'file'],
  ['s3', 'file'],
  ['hdfs', 'file'],
  ['remote', 'file'],
  ['executable', 'os'],
  ['read_text', 'file'],
  ['read_blob', 'file'],
]);

type Reader = (tokens: readonly Token[], at: number) => string | undefined;

function isString(tokens: readonly Token[], at: number): boolean {
  return tokens[at]?.kind === 'string';
}

function isSet(tokens: readonly Token[], at: number): boolean {
  return /^(?:=|to)$/.test(plainAt(tokens, at + 1));
}

/** A reader for each word that may give something away; nothing is looked at behind others. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ...[...SOURCES].map(([name, feature]): [string, Reader] => [
    name,
    (tokens, at) => (plainAt(tokens, at + 1) === '(' && /^(?:from|join|function)$/.test(plainAt(tokens, at - 1)) ? feature : undefined),
  ]),
  ...[...FILE_SETTINGS].map((name): [string, Reader] => [name, (tokens, at) => (isSet(tokens, at) ? 'file' : undefined)]),
  ...[...PROGRAM_SETTINGS].map((name): [string, Reader] => [name, (tokens, at) => (isSet(tokens, at) ? 'os' : undefined)]),
  ['attach', (tokens, at) => (isString(tokens, at + 1) ? 'file' : undefined)],
  ['soname', (tokens, at) => (isString(tokens, at + 1) ? 'os' : undefined)],
  ['into', (tokens, at) => (isString(tokens, at + 1) && plainAt(tokens, at - 1) === 'copy' ? 'export' : undefined)],
  ['kill', (tokens, at) => (tokens[at + 1]?.kind === 'number' ? 'stops' : undefined)],
  ['unload', (tokens, at) => (plainAt(tokens, at + 1) === '(' ? 'export' : undefined)],
  ['language', (tokens, at) => (UNTRUSTED.test(textAt(tokens, at + 1)) ? 'os' : undefined)],
]);
const NOTHING: readonly string[] = [];

/** Features of the word at `at` that depend on what stands beside it. */
export function neighbourFeatures(tokens: readonly Token[], at: number): readonly string[] {
  const feature = READERS.get(textAt(tokens, at))?.(tokens, at);
  return feature === undefined ? NOTHING : [feature];
}
