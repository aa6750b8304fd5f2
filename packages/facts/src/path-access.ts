/** @module What is done to a path: by the kind of the action, by the key that holds it, by the tool, by the command. */
import type { PathAccess } from '@countersign/protocol';
import { wordSet } from './word-set.ts';

const PATH_KEYS = wordSet(
  'path paths file files filename file_name file_path filepath files_path dir directory folder cwd workdir working_directory workingdirectory',
  'input_file output_file inputfile outputfile old_path new_path oldpath newpath notebook_path save_path local_path remote_path log_file logfile',
);
/** Keys that hold a path as often as a city: the value must look like one. */
const LOOSE_KEYS = wordSet('src dst source destination dest target input output from to root location template config uri');
const WRITE_KEYS = wordSet('dst dest destination output output_file outputfile to target new_path newpath save_path');
const READ_KEYS = wordSet('src source input input_file inputfile from template config');

const TOOL_ACCESS: readonly (readonly [word: string, access: PathAccess])[] = [
  ['delete', 'delete'],
  ['remove', 'delete'],
  ['unlink', 'delete'],
  ['rmdir', 'delete'],
  ['write', 'write'],
  ['save', 'write'],
  ['edit', 'write'],
  ['create', 'write'],
  ['append', 'write'],
  ['patch', 'write'],
  ['upload', 'read'],
  ['move', 'write'],
  ['rename', 'write'],
  ['copy', 'write'],
  ['mkdir', 'write'],
  ['chmod', 'write'],
  ['execute', 'execute'],
  ['run_file', 'execute'],
];

/** True where `key` says that `value` is a path, or may be and the value has a slash or an extension. */
export function isPathKey(key: string, value: string): boolean {
  return PATH_KEYS.has(key) || (LOOSE_KEYS.has(key) && FILE_LIKE.test(value));
}

const FILE_LIKE = /^[^\s,;]{0,1024}(?:[/\\]|\.[A-Za-z0-9]{1,8}$)/;

/** Access of a path in a parameter. `key` and `tool` are lower case. */
export function parameterAccess(kind: string, tool: string, key: string): PathAccess {
  if (kind === 'file.read') return 'read';
  if (kind === 'file.write' || kind === 'file.patch') return READ_KEYS.has(key) ? 'read' : 'write';
  if (!PATH_KEYS.has(key) && !LOOSE_KEYS.has(key)) return 'mention';
  return keyAccess(key) ?? toolAccess(tool) ?? (WRITE_KEYS.has(key) ? 'write' : 'read');
}

/** `target` says what is meant, not what is done to it: the tool decides. */
function keyAccess(key: string): PathAccess | undefined {
  if (READ_KEYS.has(key)) return 'read';
  return WRITE_KEYS.has(key) && key !== 'target' ? 'write' : undefined;
}

function toolAccess(tool: string): PathAccess | undefined {
  return TOOL_ACCESS.find(([word]) => tool.includes(word))?.[1];
}

const COMMAND_ACCESS: readonly (readonly [access: PathAccess, names: ReadonlySet<string>])[] = [
  [
    'read',
    wordSet(
      'cat tac head tail less more most bat nl od xxd hexdump strings file stat wc sort uniq cut paste join comm diff cmp grep egrep fgrep rg ag awk gawk sed',
      'sqlite3 ls dir find tree du df md5sum sha1sum sha256sum sha512sum cksum b2sum base64 base32 rev fold fmt pr column jq yq xmllint source readlink realpath view',
      'tar zip gzip bzip2 xz 7z zcat gunzip unzip scp rsync curl wget openssl gpg cpio iconv tr type get-content gc select-string nano-view cd pushd import',
    ),
  ],
  [
    'write',
    wordSet(
      'tee touch mkdir mkfs mke2fs chmod chown chgrp chattr setfacl truncate install ln mv cp dd nano vi vim emacs ed ex patch split csplit mknod mkfifo mount',
      'set-content sc add-content out-file new-item move-item copy-item fallocate swapon',
    ),
  ],
  ['delete', wordSet('rm rmdir unlink shred wipe srm del erase rd remove-item ri')],
  [
    'execute',
    wordSet('sh bash zsh dash ksh fish python python2 python3 perl ruby node deno bun php lua exec java osascript pwsh powershell chroot'),
  ],
];
/** These read all but their last path and write that one. */
const COPY = wordSet('cp mv ln install scp rsync copy-item move-item');
const MOVE = wordSet('mv move-item');

/** Where an argument stands among the paths of its command. */
export interface ArgumentPlace {
  readonly last: boolean;
  /** Option right before it, or ``. */
  readonly option: string;
  /** Some option of the command, e.g. `-i` of sed or `-delete` of find. */
  readonly options: readonly string[];
}

/** A key or configuration that a client uses to get in is not what it sends. */
const USES_KEY = wordSet('ssh scp sftp rsync curl wget');
const KEY_OPTION = wordSet('-i -F -K -E --key --cert --cacert --config --netrc-file --identity --private-key --ca-certificate');

const OUTPUT_OPTION = wordSet('-o -O --output --output-document');

function optionAccess(name: string, place: ArgumentPlace): PathAccess | undefined {
  const { option, options } = place;
  if (KEY_OPTION.has(option) && USES_KEY.has(name) && !(name === 'curl' && option === '-F')) return 'mention';
  if (OUTPUT_OPTION.has(option)) return 'write';
  if (name === 'sed' && options.some((word) => /^-[a-z]*i/.test(word) || word.startsWith('--in-place'))) return 'write';
  if (name === 'find' && options.includes('-delete')) return 'delete';
  if (name === 'shred') return 'delete';
  return undefined;
}

/** Access of a path in the arguments of a command; `mention` for a command that is not known to touch files. */
export function argumentAccess(name: string, place: ArgumentPlace): PathAccess {
  const special = optionAccess(name, place);
  if (special !== undefined) return special;
  if (COPY.has(name) && !place.last) return MOVE.has(name) ? 'delete' : 'read';
  for (const [access, names] of COMMAND_ACCESS) if (names.has(name)) return COPY.has(name) ? 'write' : access;
  return 'mention';
}

/** Access of the target of a redirect. */
export function redirectAccess(operator: string): PathAccess {
  if (operator.startsWith('<<')) return 'mention';
  if (operator.includes('>')) return 'write';
  return operator.includes('<') ? 'read' : 'mention';
}
