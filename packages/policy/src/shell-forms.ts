/**
 * @module Commands that are refused for what they do, whatever order, spelling or wrapper they come in. Each form reads
 * command facts and has a stable name.
 */
import type { CommandFact } from '@countersign/protocol';
import { joinPath, normalizePath, workingDirectories } from './path-reach.ts';

export interface ShellMatch {
  /** `rm_root`, `pipe_to_shell`, ... */
  readonly form: string;
  /** Index in the commands. */
  readonly command: number;
}

interface Scene {
  readonly directories: readonly (string | undefined)[];
  /** What feeds each command through pipes, as a set of the bits below. */
  readonly fed: readonly number[];
  /** Files (and their lower-case base names) that were fetched, with the command that fetched them. */
  readonly fetched: ReadonlyMap<string, number>;
  /** How commands that fetch are reached. */
  readonly fetchedVia: ReadonlySet<string>;
}

const FETCH = 1;
const DECODE = 2;
const ENCODE = 4;
const SHELL = 8;

interface Form {
  readonly name: string;
  test(scene: Scene, command: CommandFact, index: number): boolean;
}

const SHELLS: ReadonlySet<string> = new Set([
  'sh',
  'bash',
  'zsh',
  'dash',
  'ksh',
  'ash',
  'fish',
  'csh',
  'tcsh',
  'rbash',
  'pwsh',
  'powershell',
]);
const INTERPRETER =
  /^(?:python[0-9.]*|pypy[0-9.]*|perl[0-9.]*|ruby[0-9.]*|node|nodejs|php[0-9.]*|lua[0-9.]*|deno|bun|osascript|tclsh|rscript|groovy)$/;
const FETCHERS: ReadonlySet<string> = new Set([
  'curl',
  'wget',
  'fetch',
  'aria2c',
  'lwp-request',
  'http',
  'https',
  'xh',
  'lynx',
  'ftp',
  'tftp',
  'scp',
]);
const SENDERS: ReadonlySet<string> = new Set(['curl', 'wget', 'nc', 'ncat', 'netcat', 'socat', 'telnet']);
const NETCATS: ReadonlySet<string> = new Set(['nc', 'ncat', 'netcat', 'nc.openbsd', 'nc.traditional']);
const SYSTEM_ROOT =
  /^(?:\/|\/(?:bin|boot|dev|etc|home|lib|lib32|lib64|libx32|opt|proc|root|run|sbin|srv|sys|usr|var|users|system|library|applications)|\/(?:home|users)\/[^/]+|\/usr\/(?:bin|lib|sbin|local)|\/var\/lib|~|[a-z]:\/?)$/;
const DISK = /^\/dev\/(?:[shv]d[a-z]|xvd[a-z]|nvme\d|mmcblk\d|disk\d|rdisk\d|dm-\d|mapper\/|md\d|loop\d|sr\d)/;

function isInterpreter(name: string): boolean {
  return SHELLS.has(name) || INTERPRETER.test(name);
}

/** Letters of short options and names of long ones. */
function options(command: CommandFact): { readonly letters: string; readonly long: readonly string[] } {
  const flags = command.args.filter((arg) => arg.startsWith('-') && arg !== '-');
  const letters = flags.filter((arg) => !arg.startsWith('--')).map((arg) => arg.slice(1));
  return { letters: letters.join(''), long: flags.filter((arg) => arg.startsWith('--')) };
}

function operands(command: CommandFact): readonly string[] {
  const end = command.args.indexOf('--');
  return command.args.filter((arg, i) => (end !== -1 && i > end) || arg === '-' || (!arg.startsWith('-') && i !== end));
}

/** A whole system directory or a home, in any spelling, with or without a trailing star. */
function isSystemRoot(scene: Scene, arg: string, index: number): boolean {
  const home = arg.replace(/^\$(?:HOME|\{HOME\})(?=\/|$)/i, '~').replace(/^~[a-z_][a-z0-9_-]*(?=\/|$)/i, '~');
  const bare = home.replace(/\/?\.?\*$/, '');
  const spelled = bare === '' ? (home.startsWith('/') ? '/' : '.') : bare;
  const directory = scene.directories[index];
  const path = directory === undefined ? normalizePath(spelled) : joinPath(directory, normalizePath(spelled));
  return SYSTEM_ROOT.test(path.toLowerCase());
}

function ownBits(command: CommandFact): number {
  const encoder = /^(?:base64|base32|basenc|gbase64)$/.test(command.name) ? ENCODE : 0;
  return (FETCHERS.has(command.name) ? FETCH : 0) | (decodes(command) ? DECODE : 0) | encoder | (SHELLS.has(command.name) ? SHELL : 0);
}

/** For each command the bits of everything upstream of it; pipes read from earlier commands, so one pass is enough. */
function feeds(commands: readonly CommandFact[]): readonly number[] {
  const own = commands.map(ownBits);
  const fed: number[] = [];
  for (const [index, { pipedFrom }] of commands.entries()) {
    const before = pipedFrom >= 0 && pipedFrom < index ? (fed[pipedFrom] ?? 0) : 0;
    fed.push(pipedFrom >= 0 ? before | (own[pipedFrom] ?? 0) : 0);
  }
  return fed;
}

/** Runs what it reads from its input. */
function runsInput(command: CommandFact): boolean {
  if (!isInterpreter(command.name)) return false;
  const first = command.args.find((arg) => !arg.startsWith('-') || arg === '-');
  if (first === '-' || first === '/dev/stdin' || first === '/proc/self/fd/0') return true;
  if (SHELLS.has(command.name)) return first === undefined ? !command.args.includes('-c') : command.args.includes('-s');
  // An interpreter with code of its own (-c, -e, -n, -p, -m) reads its input as data.
  return first === undefined && !command.args.some((arg) => /^-[A-Za-z]*[cenpmrE]/.test(arg) || /^--(?:eval|print|version|help)/.test(arg));
}

function decodes(command: CommandFact): boolean {
  const { letters, long } = options(command);
  if (/^(?:base64|base32|basenc|gbase64)$/.test(command.name)) return /[dD]/.test(letters) || long.some((flag) => flag.startsWith('--d'));
  if (command.name === 'xxd') return letters.includes('r');
  return command.name === 'openssl' && command.args.some((arg) => arg === '-d' || arg === '-decrypt');
}

function isRecursive(command: CommandFact): boolean {
  const { letters, long } = options(command);
  return /[rR]/.test(letters) || long.some((flag) => flag.length > 3 && '--recursive'.startsWith(flag));
}

function opensNetwork(text: string): boolean {
  return /\/dev\/(?:tcp|udp)\//.test(text);
}

const INLINE_SHELL = /dup2|pty\.spawn|\/bin\/(?:ba|z|da|k)?sh|exec\s*\(|cmd\.exe|child_process|Open3|popen/;
const INLINE_SOCKET = /socket|TCPSocket|fsockopen|net\.connect|createConnection|IO::Socket/;

/** Where a command that fetches leaves what it got. */
function outputOf(command: CommandFact): string | undefined {
  const at = command.args.findIndex(
    (arg) => arg === '-o' || arg === '--output' || (command.name === 'wget' && (arg === '-O' || arg === '--output-document')),
  );
  const inline = command.args.find((arg) => /^(?:--output|--output-document)=/.test(arg));
  const redirect = command.redirects.find((one) => one.operator.includes('>') && !one.operator.includes('&'))?.target;
  if (at !== -1) return command.args[at + 1];
  if (inline !== undefined) return inline.slice(inline.indexOf('=') + 1);
  if (redirect !== undefined) return redirect;
  const remote = command.name === 'wget' || /O/.test(options(command).letters) || command.args.includes('--remote-name');
  const url = remote ? operands(command).find((arg) => arg.includes('/')) : undefined;
  return url?.split(/[?#]/)[0]?.split('/').at(-1);
}

function fetchedFile(command: CommandFact, fed: number): string | undefined {
  if (FETCHERS.has(command.name)) return outputOf(command);
  return command.name === 'tee' && (fed & FETCH) !== 0 ? operands(command)[0] : undefined;
}

/** Files that commands fetch: by their path and by their base name. */
function fetchedFiles(commands: readonly CommandFact[], fed: readonly number[]): ReadonlyMap<string, number> {
  const files = new Map<string, number>();
  for (const [index, command] of commands.entries()) {
    const file = fetchedFile(command, fed[index] ?? 0);
    if (file === undefined || file === '' || file === '-' || file.startsWith('/dev/')) continue;
    const path = normalizePath(file);
    const base = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
    for (const name of [path, base]) files.set(name, files.get(name) ?? index);
  }
  return files;
}

function runsFetched(scene: Scene, command: CommandFact, index: number): boolean {
  if (scene.fetched.size === 0) return false;
  const isFetched = (word: string): boolean => (scene.fetched.get(word) ?? index) < index;
  if (isFetched(command.name)) return true;
  if (!isInterpreter(command.name) && command.name !== 'source' && command.name !== '.') return false;
  const inputs = command.redirects.filter((one) => one.operator === '<').map((one) => one.target);
  return [...operands(command).slice(0, 1), ...inputs].some((arg) => isFetched(normalizePath(arg)));
}

/** `bash <(curl ...)`, `sh -c "$(curl ...)"`, `eval "$(curl ...)"`, `$(curl ...)`. */
function runsSubstitution(scene: Scene, command: CommandFact): boolean {
  const fetches = (via: string): boolean => scene.fetchedVia.has(via);
  const runs = isInterpreter(command.name) || command.name === 'source' || command.name === '.';
  if (runs && command.args.some((arg) => arg.includes('<('))) return fetches('process-substitution') || fetches('substitution');
  const inline =
    command.name === 'eval' || (isInterpreter(command.name) && command.args.includes('-c')) || (command.name === '' && command.dynamic);
  return inline && /\$\(|`/.test(command.line) && fetches('substitution');
}

function netcatRuns(command: CommandFact): boolean {
  if (!NETCATS.has(command.name)) return false;
  const { letters, long } = options(command);
  return /[ec]/.test(letters) || long.some((flag) => /^--(?:exec|sh-exec|lua-exec)/.test(flag));
}

function inlineConnects(arg: string): boolean {
  return opensNetwork(arg) || (INLINE_SOCKET.test(arg) && INLINE_SHELL.test(arg));
}

function opensReverseShell(scene: Scene, command: CommandFact, index: number): boolean {
  if (command.redirects.some((one) => opensNetwork(one.target)) || netcatRuns(command)) return true;
  if (isInterpreter(command.name) && command.args.some(inlineConnects)) return true;
  if (command.name === 'socat' && command.args.some((arg) => /^(?:exec|system):/i.test(arg))) return true;
  const talks = NETCATS.has(command.name) || command.name === 'telnet' || (command.name === 'openssl' && command.args[0] === 's_client');
  return talks && ((scene.fed[index] ?? 0) & SHELL) !== 0;
}

const FORMS: readonly Form[] = [
  {
    name: 'rm_root',
    test: (scene, command, index) => {
      if (command.name === 'find')
        return (
          command.args.includes('-delete') &&
          operands(command)
            .slice(0, 1)
            .some((arg) => isSystemRoot(scene, arg, index))
        );
      if (command.name !== 'rm' && command.name !== 'srm') return false;
      if (command.args.includes('--no-preserve-root')) return true;
      return isRecursive(command) && operands(command).some((arg) => isSystemRoot(scene, arg, index));
    },
  },
  {
    name: 'open_permissions_root',
    test: (scene, command, index) => {
      if (command.name !== 'chmod') return false;
      const [mode = '', ...targets] = operands(command);
      const open = /^[0-7]?[0-7]?777$/.test(mode) || /(?:^|,)(?:a|ugo|o|go|)[+=][rwxX]*w/.test(mode);
      return open && targets.some((arg) => isSystemRoot(scene, arg, index));
    },
  },
  {
    name: 'pipe_to_shell',
    test: (scene, command, index) => ((scene.fed[index] ?? 0) & FETCH) !== 0 && runsInput(command),
  },
  { name: 'run_downloaded', test: (scene, command, index) => runsFetched(scene, command, index) || runsSubstitution(scene, command) },
  { name: 'reverse_shell', test: opensReverseShell },
  {
    name: 'decode_and_run',
    test: (scene, command, index) => {
      const decoded = ((scene.fed[index] ?? 0) & DECODE) !== 0;
      return decoded && (runsInput(command) || command.wrappers.includes('xargs') || command.name === 'xargs');
    },
  },
  {
    name: 'encode_and_send',
    test: (scene, command, index) => SENDERS.has(command.name) && ((scene.fed[index] ?? 0) & ENCODE) !== 0,
  },
  {
    name: 'overwrite_disk',
    test: (_, command) => {
      if (/^mkfs(?:\.|$)/.test(command.name) || command.name === 'mke2fs') return true;
      if (command.redirects.some((one) => one.operator.includes('>') && DISK.test(one.target))) return true;
      if (command.name === 'dd') return command.args.some((arg) => arg.startsWith('of=') && DISK.test(arg.slice(3)));
      return /^(?:shred|wipefs|blkdiscard|tee|cp)$/.test(command.name) && DISK.test(operands(command).at(-1) ?? '');
    },
  },
];

/** The first form that each command takes, in order of commands. */
export function shellForms(commands: readonly CommandFact[]): readonly ShellMatch[] {
  const fed = feeds(commands);
  const scene: Scene = {
    directories: workingDirectories(commands),
    fed,
    fetched: fetchedFiles(commands, fed),
    fetchedVia: new Set(commands.filter((command) => FETCHERS.has(command.name)).map((command) => command.via)),
  };
  return commands.flatMap((command, index) => {
    const form = FORMS.find((one) => one.test(scene, command, index));
    return form === undefined ? [] : [{ form: form.name, command: index }];
  });
}

/** A function that pipes itself into itself and is called: `:(){ :|:& };:`. Linear in the text. */
export function isForkBomb(text: string): boolean {
  const compact = text.replaceAll(/\s+/g, '').replaceAll('function', '');
  for (let at = compact.indexOf('(){'); at !== -1; at = compact.indexOf('(){', at + 3)) {
    const name = /[^;&|(){}<>'"`$]{1,64}$/.exec(compact.slice(Math.max(0, at - 64), at))?.[0];
    if (name !== undefined && compact.startsWith(`${name}|${name}&`, at + 3)) return true;
  }
  return false;
}
