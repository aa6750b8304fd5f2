/**
 * @module Programs that are no wrappers by trade and run a command all the same: terminals, debuggers, editors, archivers, test drivers.
 * Their own command is of interest too, so it always stays.
 */
import { type Field } from './shell-state.ts';

/** What a launcher runs: words, or a text for a shell. */
export type Launched = { readonly fields: readonly Field[] } | { readonly text: string };

type Launch = (fields: readonly Field[]) => readonly Launched[];

const NONE: readonly Launched[] = [];
const ARGS_MAX = 256;

function textOf(fields: readonly Field[]): string {
  return fields.map((field) => field.text).join(' ');
}

function text(body: string | undefined): readonly Launched[] {
  return body === undefined || body.trim() === '' ? NONE : [{ text: body }];
}

/** The text in every word that `pattern` finds, as its first group. */
function inWords(pattern: RegExp): Launch {
  return (fields) => fields.slice(1, ARGS_MAX).flatMap((field) => text(pattern.exec(field.text)?.[1]));
}

/** The word after each option that `option` finds. */
function afterOption(option: RegExp): Launch {
  return (fields) => fields.slice(1, ARGS_MAX).flatMap((field, i) => (option.test(field.text) ? text(fields[i + 2]?.text) : NONE));
}

/** All words after the option, as a command. */
function restAfter(option: RegExp): Launch {
  return (fields) => {
    const at = fields.findIndex((field, i) => i > 0 && option.test(field.text));
    return at === -1 || at + 1 >= fields.length ? NONE : [{ fields: fields.slice(at + 1) }];
  };
}

function both(...launches: readonly Launch[]): Launch {
  return (fields) => launches.flatMap((launch) => launch(fields));
}

const EDITOR = inWords(/^\+?:?!(.+)$/);

const TMUX_VERB =
  /^(?:new(?:-session|-window)?|neww|split-window|splitw|run-shell|run|respawn-(?:pane|window)|if-shell|popup|display-popup|send-keys|send)$/;

/** `tmux new -d 'x'`, `tmux send-keys 'x' Enter`: everything behind the verb that is no option, as one text. */
function tmux(fields: readonly Field[]): readonly Launched[] {
  const verb = fields.findIndex((field, i) => i > 0 && TMUX_VERB.test(field.text));
  if (verb === -1) return NONE;
  const words = fields
    .slice(verb + 1)
    .filter((field, i, all) => !field.text.startsWith('-') && !/^-[a-zA-Z]*[sntcFxye]$/.test(all[i - 1]?.text ?? ''));
  return text(textOf(words.filter(({ text: word }) => !/^(?:Enter|C-m|KPEnter)$/.test(word))));
}

/** `screen -dm x y`, `screen -S n -X stuff 'x'`. */
function screen(fields: readonly Field[]): readonly Launched[] {
  const stuff = fields.findIndex((field) => field.text === 'stuff');
  if (stuff !== -1) return text(fields[stuff + 1]?.text);
  const start = fields.findIndex(
    (field, i) => i > 0 && !field.text.startsWith('-') && !/^-[a-zA-Z]*[SctTsph]$/.test(fields[i - 1]?.text ?? ''),
  );
  return start === -1 || !fields.some((field) => /^-[a-zA-Z]*[dD]/.test(field.text)) ? NONE : [{ fields: fields.slice(start) }];
}

const ROWS: ReadonlyMap<string, Launch> = new Map<string, Launch>([
  [
    'tar',
    both(
      inWords(/^--(?:checkpoint-action=exec|to-command|use-compress-program|rsh-command|info-script)=(.+)$/),
      afterOption(/^(?:-I|-F|--to-command|--checkpoint-action=exec)$/),
    ),
  ],
  ['zip', both(afterOption(/^(?:-TT|--unzip-command)$/), inWords(/^--unzip-command=(.+)$/))],
  [
    'rsync',
    both(inWords(/^--(?:rsh|rsync-path)=(.+ .+)$/), (fields) =>
      afterOption(/^(?:-[a-zA-Z]*e|--rsh)$/)(fields).filter((one) => 'text' in one && / /.test(one.text)),
    ),
  ],
  ['vim', EDITOR],
  ['vi', EDITOR],
  ['nvim', EDITOR],
  ['ex', EDITOR],
  ['view', EDITOR],
  ['tmux', tmux],
  ['screen', screen],
  [
    'expect',
    (fields) => afterOption(/^-c$/)(fields).flatMap((one) => ('text' in one ? text(/\bspawn\s+([^;\n]+)/.exec(one.text)?.[1]) : NONE)),
  ],
  [
    'gdb',
    (fields) =>
      fields.slice(1, ARGS_MAX).flatMap((field) => text(/^(?:--?e(?:val-command|x)=)?\s{0,4}(?:!|shell\s)(.+)$/.exec(field.text)?.[1])),
  ],
  ['lldb', inWords(/^(?:platform shell|shell)\s(.+)$/)],
  ['sed', inWords(/^(?:\d{0,8}|\$|\/[^/]{0,64}\/)e\s(.+)$/)],
  ['gsed', inWords(/^(?:\d{0,8}|\$|\/[^/]{0,64}\/)e\s(.+)$/)],
  ['make', inWords(/^--eval=.{0,128}(?::;?|\$\(shell)\s{0,4}(.+?)\)?$/)],
  ['ssh', both(inWords(/^(?:-o)?(?:ProxyCommand|LocalCommand)[= ](.+)$/i))],
  ['xterm', restAfter(/^-e$/)],
  ['gnome-terminal', restAfter(/^(?:--|-x|-e)$/)],
  ['konsole', restAfter(/^-e$/)],
  ['start-stop-daemon', afterOption(/^(?:-[xa]|--exec|--startas)$/)],
  [
    'ip',
    (fields) => (fields[1]?.text === 'netns' && fields[2]?.text === 'exec' && fields.length > 4 ? [{ fields: fields.slice(4) }] : NONE),
  ],
  ['lxc', restAfter(/^--$/)],
  ['incus', restAfter(/^--$/)],
  ['lxc-attach', restAfter(/^--$/)],
  [
    'crictl',
    (fields) =>
      fields[1]?.text === 'exec' ? fieldsFrom(fields, fields.findIndex((field, i) => i > 1 && !field.text.startsWith('-')) + 1) : NONE,
  ],
  ['adb', restAfter(/^shell$/)],
  ['machinectl', (fields) => (fields[1]?.text === 'shell' ? fieldsFrom(fields, 3) : NONE)],
  ['man', both(afterOption(/^(?:-P|--pager)$/), inWords(/^--pager=(.+)$/))],
  ['hyperfine', (fields) => fields.slice(1, ARGS_MAX).flatMap((field) => (field.text.startsWith('-') ? NONE : text(field.text)))],
]);

function fieldsFrom(fields: readonly Field[], at: number): readonly Launched[] {
  return at > 0 && at < fields.length ? [{ fields: fields.slice(at) }] : NONE;
}

/** What a launcher of this name runs besides being itself. */
export function launched(name: string, fields: readonly Field[]): readonly Launched[] {
  return ROWS.get(name)?.(fields) ?? NONE;
}
