/**
 * @module Wrappers: commands that run another command. A row says which of their options take a value and how many words of their own
 * come before the command; anything stranger has a function.
 */
import { launched } from './shell-launchers.ts';
import { commandName, known, type Field } from './shell-state.ts';

/** The command inside a wrapper: as words, or as text for a shell to read. */
export interface Unwrapped {
  readonly label: string;
  readonly fields?: readonly Field[];
  readonly text?: string;
  /** The wrapper is a command of interest itself (`find`, `ssh`, `docker`). */
  readonly keep: boolean;
  /** The inner command gets further words on its standard input. */
  readonly takesInput?: boolean;
}

type Unwrap = (fields: readonly Field[], name: string) => readonly Unwrapped[];

interface Row {
  /** Short options with a value, as letters. */
  readonly short?: string;
  /** Long options whose value is the next word. */
  readonly long?: readonly string[];
  /** Own words before the command. */
  readonly skip?: number;
  /** `NAME=value` words come before the command. */
  readonly assigns?: boolean;
  readonly keep?: boolean;
}

const NONE: readonly Unwrapped[] = [];
const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*=/;

/** Words an option takes: itself, and its value where that is the next word. */
function optionWords(text: string, row: Row): number {
  if (text.startsWith('--')) return row.long?.includes(text.slice(2)) === true ? 2 : 1;
  const letter = firstValueLetter(text, row.short ?? '');
  return letter !== -1 && letter === text.length - 1 ? 2 : 1;
}

/** Index of the first word that is neither an option, an option's value, nor an assignment. */
function firstOperand(fields: readonly Field[], row: Row): number {
  let i = 1;
  while (i < fields.length) {
    const text = fields[i]?.text ?? '';
    if (text === '--') return i + 1;
    const assigns = row.assigns === true && (text === '-' || ASSIGNMENT.test(text));
    if (!assigns && (text === '-' || !text.startsWith('-'))) return i;
    i += assigns ? 1 : optionWords(text, row);
  }
  return i;
}

/** Offset of the first letter of a cluster that takes a value: `-nu` takes it from the next word, `-uroot` has it inside. */
function firstValueLetter(cluster: string, letters: string): number {
  for (let i = 1; i < cluster.length; i += 1) if (letters.includes(cluster[i] ?? ' ')) return i;
  return -1;
}

function plain(row: Row): Unwrap {
  return (fields, name) => {
    let start = firstOperand(fields, row) + (row.skip ?? 0);
    while (row.assigns === true && ASSIGNMENT.test(fields[start]?.text ?? '')) start += 1;
    return start < fields.length ? [{ label: name, fields: fields.slice(start), keep: row.keep ?? false }] : NONE;
  };
}

function joined(fields: readonly Field[]): string {
  return fields.map((field) => field.text).join(' ');
}

const SHELL_ROW: Row = { short: 'oOc', long: ['rcfile', 'init-file'] };

/** `sh -c BODY name args`: the body, when it is given as text. */
const shellBody: Unwrap = (fields, name) => {
  const at = fields.findIndex((field, i) => i > 0 && /^-[a-zA-Z]{0,8}c[a-zA-Z]{0,8}$/.test(field.text));
  const first = firstOperand(fields, { ...SHELL_ROW, short: 'oO' });
  if (at === -1 || at > first) return NONE;
  const body = fields[first];
  if (body === undefined || body.unknownEnd > 0) return NONE;
  return [{ label: `${name} -c`, text: body.text, keep: false }];
};

const envSplit: Unwrap = (fields, name) => {
  const at = fields.findIndex((field) => /^(?:-[i0v]{0,3}S|--split-string)/.test(field.text));
  if (at === -1) return ENV(fields, name);
  const option = fields[at]?.text ?? '';
  const inside = option.replace(/^(?:-[i0v]{0,3}S|--split-string=?)/, '');
  const rest = joined(fields.slice(at + 1));
  return [{ label: 'env -S', text: `${inside} ${rest}`.replace(/^(?:\s*[A-Za-z_][A-Za-z0-9_]*=\S*)+/, ''), keep: false }];
};
const ENV = plain({ short: 'uCP', long: ['unset', 'chdir'], assigns: true });

const findActions: Unwrap = (fields) => {
  const found: Unwrapped[] = [];
  for (let i = 1; i < fields.length; i += 1) {
    const action = fields[i]?.text ?? '';
    if (!/^-(?:exec|execdir|ok|okdir)$/.test(action)) continue;
    let end = i + 1;
    while (end < fields.length && fields[end]?.text !== ';' && fields[end]?.text !== '+') end += 1;
    const inner = fields
      .slice(i + 1, end)
      .map((field): Field => ({ text: field.text, dynamic: field.dynamic || field.text.includes('{}'), unknownEnd: field.unknownEnd }));
    if (inner.length > 0) found.push({ label: `find ${action}`, fields: inner, keep: true });
    i = end;
  }
  return found;
};

function remote(row: Row): Unwrap {
  return (fields, name) => {
    const start = firstOperand(fields, row) + 1;
    return start < fields.length ? [{ label: name, text: joined(fields.slice(start)), keep: true }] : NONE;
  };
}

/** `docker run IMAGE CMD`, `docker exec NAME CMD`, `kubectl exec POD -- CMD`. */
const container: Unwrap = (fields, name) => {
  const verb = fields.findIndex((field, i) => i > 0 && i < 6 && /^(?:run|exec|create)$/.test(field.text));
  if (verb === -1) return NONE;
  const dashes = fields.findIndex((field, i) => i > verb && field.text === '--');
  const rest = fields.slice(verb);
  const start = dashes === -1 ? verb + firstOperand(rest, CONTAINER) + 1 : dashes + 1;
  return start < fields.length ? [{ label: `${name} ${fields[verb]?.text ?? ''}`, fields: fields.slice(start), keep: true }] : NONE;
};
const CONTAINER: Row = {
  short: 'vepuwhlmanc',
  long: 'volume env publish user workdir hostname label memory attach name network net mount entrypoint cap-add cap-drop security-opt device pid ipc uts userns env-file expose add-host dns restart cpus ulimit platform pull log-driver log-opt runtime gpus shm-size tmpfs volumes-from label-file container namespace context kubeconfig image index'.split(
    ' ',
  ),
};

const xargs: Unwrap = (fields) => {
  const start = firstOperand(fields, {
    short: 'IiLnPsadERSJ',
    long: ['max-args', 'max-procs', 'replace', 'delimiter', 'arg-file', 'max-lines', 'max-chars'],
  });
  const inner = start < fields.length ? fields.slice(start) : [known('echo')];
  return [{ label: 'xargs', fields: inner, keep: false, takesInput: true }];
};

const parallel: Unwrap = (fields) => {
  const start = firstOperand(fields, {
    short: 'jnNaIS',
    long: ['jobs', 'max-args', 'arg-file', 'colsep', 'delay', 'timeout', 'joblog', 'retries', 'sshlogin'],
  });
  const end = fields.findIndex((field) => field.text.startsWith(':::'));
  const inner = fields.slice(start, end === -1 ? undefined : end);
  const values = end === -1 ? [] : fields.slice(end + 1);
  if (inner.length === 0) return values.map((value) => ({ label: 'parallel', text: value.text, keep: false }));
  return [{ label: 'parallel', text: joined([...inner, ...values]), keep: false, takesInput: end === -1 }];
};

/** `su -c CMD user`, `script -c CMD`, `runuser -c CMD`: the text after `-c`. */
const commandOption: Unwrap = (fields, name) => {
  const at = fields.findIndex((field, i) => i > 0 && /^(?:-[a-z]{0,4}c|--command|--session-command)$/.test(field.text));
  const inline = fields.find((field) => field.text.startsWith('--command='));
  if (inline !== undefined) return [{ label: `${name} -c`, text: inline.text.slice(10), keep: false }];
  const body = at === -1 ? undefined : fields[at + 1];
  return body === undefined || body.unknownEnd > 0 ? NONE : [{ label: `${name} -c`, text: body.text, keep: false }];
};

const runuser: Unwrap = (fields, name) => {
  const text = commandOption(fields, name);
  return text.length > 0 || !fields.some((field) => field.text === '-u') ? text : plain({ short: 'ugG' })(fields, name);
};

const flock: Unwrap = (fields, name) => {
  const text = commandOption(fields, name);
  return text.length > 0 ? text : plain({ short: 'wE', long: ['timeout', 'wait', 'conflict-exit-code'], skip: 1 })(fields, name);
};

const watch: Unwrap = (fields, name) => {
  const start = firstOperand(fields, { short: 'nq', long: ['interval', 'equexit'] });
  return start < fields.length ? [{ label: name, text: joined(fields.slice(start)), keep: false }] : NONE;
};

const evalText: Unwrap = (fields, name) => {
  const words = fields.slice(fields[1]?.text === '--' ? 2 : 1);
  return words.length === 0 || words.some((field) => field.unknownEnd > 0) ? NONE : [{ label: name, text: joined(words), keep: false }];
};

const trap: Unwrap = (fields, name) => {
  const body = fields[1]?.text === '--' ? fields[2] : fields[1];
  return fields.length < 3 || body === undefined || /^-|^$/.test(body.text) ? NONE : [{ label: name, text: body.text, keep: true }];
};

const applet: Unwrap = (fields, name) =>
  fields.length > 1 && fields[1]?.text.startsWith('-') === false ? [{ label: name, fields: fields.slice(1), keep: false }] : NONE;

/** `exec -a NAME` runs a program under another name, which is worth its own label. */
const execAs: Unwrap = (fields) => {
  const named = /^-[cl]{0,2}a/.test(fields[1]?.text ?? '');
  return plain({ short: 'a' })(fields, named ? 'exec -a' : 'exec');
};

/** `command -v x` asks, it does not run. */
const commandBuiltin: Unwrap = (fields, name) => (/^-[pvV]{0,2}[vV]/.test(fields[1]?.text ?? '') ? NONE : plain({})(fields, name));

const SHELLS: readonly string[] = ['sh', 'bash', 'zsh', 'dash', 'ksh', 'ash', 'fish', 'mksh', 'rbash', 'csh', 'tcsh'];
const SHELL_SET: ReadonlySet<string> = new Set(SHELLS);
const SSH: Row = { short: 'pioLRDFJbceEImOQSwWBl' };

const TABLE: ReadonlyMap<string, Unwrap> = new Map<string, Unwrap>([
  ...SHELLS.map((name): [string, Unwrap] => [name, shellBody]),
  [
    'sudo',
    plain({
      short: 'ugpChDrtTUR',
      long: ['user', 'group', 'prompt', 'chdir', 'host', 'role', 'type', 'chroot', 'close-from'],
      assigns: true,
    }),
  ],
  ['doas', plain({ short: 'uCa' })],
  ['pkexec', plain({ long: ['user'] })],
  ['gosu', plain({ skip: 1 })],
  ['su-exec', plain({ skip: 1 })],
  ['env', envSplit],
  ['nohup', plain({})],
  ['noglob', plain({})],
  ['nocorrect', plain({})],
  ['setpriv', plain({ long: ['reuid', 'regid', 'groups', 'inh-caps', 'ambient-caps', 'bounding-set'] })],
  ['prlimit', plain({ short: 'p' })],
  ['numactl', plain({ short: 'NmiCp' })],
  ['setarch', plain({ skip: 1 })],
  ['linux64', plain({})],
  ['linux32', plain({})],
  ['firejail', plain({})],
  ['valgrind', plain({})],
  ['xvfb-run', plain({ short: 'nspef' })],
  ['dbus-run-session', plain({})],
  ['dbus-launch', plain({})],
  ['cgexec', plain({ short: 'g' })],
  ['faketime', plain({ short: 'f', skip: 1 })],
  ['entr', plain({})],
  ['nice', plain({ short: 'n', long: ['adjustment'] })],
  ['ionice', plain({ short: 'cnp', long: ['class', 'classdata'] })],
  ['chrt', plain({ short: 'TPD', skip: 1 })],
  ['taskset', plain({ skip: 1 })],
  ['timeout', plain({ short: 'ks', long: ['kill-after', 'signal'], skip: 1 })],
  ['gtimeout', plain({ short: 'ks', long: ['kill-after', 'signal'], skip: 1 })],
  ['stdbuf', plain({ short: 'ioe', long: ['input', 'output', 'error'] })],
  ['unbuffer', plain({})],
  ['setsid', plain({})],
  ['time', plain({ short: 'fo', long: ['format', 'output'] })],
  ['command', commandBuiltin],
  ['builtin', plain({})],
  ['exec', execAs],
  ['xargs', xargs],
  ['parallel', parallel],
  ['find', findActions],
  ['ssh', remote(SSH)],
  ['su', commandOption],
  ['script', commandOption],
  ['runuser', runuser],
  ['watch', watch],
  ['strace', plain({ short: 'aeopsuEPIXbO' })],
  ['ltrace', plain({ short: 'aeopsunlx' })],
  ['chroot', plain({ long: ['userspec', 'groups'], skip: 1 })],
  ['unshare', plain({ short: 'SGR', long: ['setuid', 'setgid', 'root', 'wd'] })],
  ['nsenter', plain({ short: 'tSG', long: ['target', 'setuid', 'setgid'], keep: true })],
  [
    'systemd-run',
    plain({
      short: 'putMHE',
      long: ['unit', 'property', 'slice', 'uid', 'gid', 'setenv', 'working-directory', 'on-calendar', 'on-active'],
      keep: true,
    }),
  ],
  ['fakeroot', plain({})],
  ['proxychains', plain({ short: 'f' })],
  ['proxychains4', plain({ short: 'f' })],
  ['torsocks', plain({})],
  ['caffeinate', plain({ short: 'tw' })],
  ['flock', flock],
  ['busybox', applet],
  ['toybox', applet],
  ['docker', container],
  ['podman', container],
  ['nerdctl', container],
  ['kubectl', container],
  ['oc', container],
  ['eval', evalText],
  ['trap', trap],
]);

/** A program that is not known and takes `-c TEXT` may well be a shell. */
const unknownShell: Unwrap = (fields) => {
  const [only] = fields[0]?.dynamic === true && fields[1]?.text === '-c' ? shellBody(fields, 'sh') : NONE;
  return only?.text === undefined ? NONE : [{ label: only.label, text: only.text, keep: true }];
};

/** Whether a name is a shell that reads commands from its standard input. */
export function isShell(name: string): boolean {
  return SHELL_SET.has(name);
}

/** What a command runs, one level down; empty when it runs nothing that is known. */
export function unwrap(fields: readonly Field[]): readonly Unwrapped[] {
  const name = commandName(fields[0]);
  const unwrapped = (TABLE.get(name) ?? (name === '' ? unknownShell : undefined))?.(fields, name) ?? NONE;
  return unwrapped.length > 0 ? unwrapped : launched(name, fields).map((one): Unwrapped => Object.assign({ label: name, keep: true }, one));
}
