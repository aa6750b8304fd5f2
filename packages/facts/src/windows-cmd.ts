/** @module `cmd` command lines: carets, quotes, `%VARIABLES%`, operators, redirects, `if` and `for` (one pass, total). */
import { createBuilder, endCall, endWord, put, type WindowsBuilder } from './windows-words.ts';

const KNOWN: ReadonlyMap<string, string> = new Map([
  ['comspec', 'C:\\Windows\\System32\\cmd'],
  ['systemroot', 'C:\\Windows'],
  ['windir', 'C:\\Windows'],
  ['systemdrive', 'C:'],
  ['homedrive', 'C:'],
  ['programdata', 'C:\\ProgramData'],
  ['programfiles', 'C:\\Program Files'],
  ['public', 'C:\\Users\\Public'],
  ['userprofile', '~'],
  ['appdata', '~\\AppData\\Roaming'],
  ['localappdata', '~\\AppData\\Local'],
  ['temp', '~\\AppData\\Local\\Temp'],
  ['tmp', '~\\AppData\\Local\\Temp'],
]);
const VARIABLE = /%([A-Za-z_][\w()]{0,48})(:[^%\n]{0,64})?%/y;
const REDIRECT = /\d?(?:>>|>&\d?|>|<)/y;
const BEFORE_COMMAND = /^(?:do|else|call|@|if|not|exist|defined|errorlevel|\/i|\/b|\/min|\/wait)$/i;

function readVariable(builder: WindowsBuilder, text: string, at: number): number {
  VARIABLE.lastIndex = at;
  const found = VARIABLE.exec(text);
  if (found === null) {
    put(builder, '%');
    return at + 1;
  }
  const name = (found[1] ?? '').toLowerCase();
  const value = found[2] === undefined ? (builder.variables.get(name) ?? KNOWN.get(name)) : undefined;
  put(builder, value ?? found[0], { dynamic: value === undefined });
  return at + found[0].length;
}

/** Inside quotes only the closing quote and variables mean something. */
function readQuoted(builder: WindowsBuilder, text: string, from: number): number {
  let at = from + 1;
  put(builder, '', { quoted: true });
  while (at < text.length && text[at] !== '"' && text[at] !== '\n') {
    if (text[at] === '%') at = readVariable(builder, text, at);
    else {
      put(builder, text[at] ?? '');
      at += 1;
    }
  }
  return at + 1;
}

/** `set x=value` is remembered; `for ... do`, `if ... exist x` and `start ""` give way to the command behind them. */
function settle(builder: WindowsBuilder): void {
  endWord(builder);
  const { fields } = builder.open;
  const first = fields[0]?.text.toLowerCase() ?? '';
  if (first === 'set' && fields.length >= 2) {
    const pair = fields
      .slice(1)
      .map((field) => field.text)
      .join(' ');
    const equals = pair.indexOf('=');
    if (equals > 0) builder.variables.set(pair.slice(0, equals).toLowerCase(), pair.slice(equals + 1));
  }
  if (first === 'for' || first === 'if' || first === 'start' || first === 'call' || first === 'do' || first === 'else')
    skipHead(builder, first);
}

/** Index of the command behind `if`: its test is one word, or two with `==` between them. */
function afterIf(words: readonly string[]): number {
  let from = 1;
  while (from < words.length && BEFORE_COMMAND.test(words[from] ?? '')) from += 1;
  return from + (words[from + 1] === '==' ? 3 : 1);
}

function afterStart(words: readonly string[]): number {
  const at = words.findIndex((word, i) => i > 0 && word !== '' && !word.startsWith('/'));
  return at === -1 ? words.length : at;
}

function skipHead(builder: WindowsBuilder, first: string): void {
  const { fields } = builder.open;
  const words = fields.map((field) => field.text.toLowerCase());
  const from = first === 'for' ? words.indexOf('do') + 1 : first === 'if' ? afterIf(words) : afterStart(words);
  if (from > 0 && from < fields.length) builder.open.fields = fields.slice(from);
}

/** Length of the redirect that starts here; a digit belongs to it between words only. */
function readRedirect(builder: WindowsBuilder, text: string, at: number): number {
  REDIRECT.lastIndex = at;
  const redirect = REDIRECT.exec(text)?.[0] ?? '';
  if (redirect === '' || (/^\d/.test(redirect) && builder.open.word !== undefined)) return 0;
  endWord(builder);
  if (!/&\d$/.test(redirect)) builder.open.redirect = redirect.replace(/^\d/, '');
  return redirect.length;
}

function readPlain(builder: WindowsBuilder, char: string): void {
  const { word, fields } = builder.open;
  const ends = char === '=' ? word === undefined : /[\s,;]/.test(char);
  if (ends) endWord(builder);
  else if (char !== '@' || fields.length > 0 || word !== undefined) put(builder, char);
}

function readSign(builder: WindowsBuilder, text: string, at: number): number {
  const char = text[at] ?? '';
  const redirect = readRedirect(builder, text, at);
  if (redirect > 0) return at + redirect;
  if ('&|\n()'.includes(char)) {
    settle(builder);
    const pipe = char === '|' && text[at + 1] !== '|';
    endCall(builder, at, pipe);
    return at + ('&|'.includes(char) && text[at + 1] === char ? 2 : 1);
  }
  readPlain(builder, char);
  return at + 1;
}

/** Every command of a `cmd` text. */
export function readCmd(text: string): WindowsBuilder {
  const builder = createBuilder();
  let at = 0;
  while (at < text.length) {
    const char = text[at] ?? '';
    builder.steps += 1;
    if (char === '^') {
      if (text[at + 1] !== '\n') put(builder, text[at + 1] ?? '');
      at += 2;
    } else if (char === '"') at = readQuoted(builder, text, at);
    else if (char === '%') at = readVariable(builder, text, at);
    else at = readSign(builder, text, at);
  }
  settle(builder);
  endCall(builder, text.length, false);
  return builder;
}
