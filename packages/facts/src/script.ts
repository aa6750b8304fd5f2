/**
 * @module Script in a parameter, by the shape of its calls: a function of PHP that is named by a variable or put together from strings, what
 * JavaScript reaches for in a page, a loop without an end. Shapes of tokens: comments and blanks between them change nothing.
 */
import type { CodeReading, CodeText } from './code-reading.ts';
import { readScript, type ScriptToken } from './script-tokens.ts';
import { wordSet } from './word-set.ts';

type Tokens = readonly ScriptToken[];
/** Whether a shape starts at an index. */
type Shape = (tokens: Tokens, at: number) => boolean;

function textAt(tokens: Tokens, at: number): string {
  const token = tokens[at];
  return token === undefined || token.kind === 'string' ? '' : token.text;
}

/** Index behind the bracket that opens at `at`; `at` where none does. */
function behind(tokens: Tokens, at: number): number {
  const partner = tokens[at]?.partner ?? -1;
  return partner > at ? partner + 1 : at;
}

/** A call whose first argument is no word of a sentence. */
function isCallAt(tokens: Tokens, at: number): boolean {
  if (textAt(tokens, at) !== '(') return false;
  if (tokens[at]?.gap !== true) return true;
  const first = tokens[at + 1];
  return first !== undefined && (first.kind === 'string' || first.kind === 'number' || /^[$)]/.test(first.text));
}

const ACCESSES_MAX = 16;

/** Behind a variable: `[..]`, `{..}` and `->name`, up to a bound. */
function behindAccess(tokens: Tokens, from: number): number {
  let at = from;
  for (let count = 0; count < ACCESSES_MAX; count += 1) {
    const text = textAt(tokens, at);
    if (text === '[' || text === '{') {
      const next = behind(tokens, at);
      if (next === at) return at;
      at = next;
    } else if (text === '-' && textAt(tokens, at + 1) === '>') at += 3;
    else return at;
  }
  return at;
}

/** `$f(1)`, `$a[0]{1}(x)`, `$o->$m()`. */
const variableCall: Shape = (tokens, at) =>
  tokens[at]?.kind === 'word' && /^\$+[^\d]/.test(textAt(tokens, at)) && isCallAt(tokens, behindAccess(tokens, at + 1));

/** `${'f'}`, `$ {X}`, `${@$b}(1)`: a variable whose name is worked out. */
const variableName: Shape = (tokens, at) => {
  if (textAt(tokens, at) !== '$' || textAt(tokens, at + 1) !== '{') return false;
  const end = behind(tokens, at + 1);
  if (end === at + 1) return false;
  const first = tokens[at + 2];
  const named = first !== undefined && (first.kind === 'string' || first.text.startsWith('$') || first.text === '@');
  return tokens[at + 1]?.gap === true || (named && end > at + 3) || (end < tokens.length && isCallAt(tokens, end));
};

/** Whether no two words stand side by side from `from` to `to`, as they would in a sentence. */
function isJoined(tokens: Tokens, from: number, to: number): boolean {
  for (let at = from; at + 1 < to; at += 1) if (tokens[at]?.kind === 'word' && tokens[at + 1]?.kind === 'word') return false;
  return true;
}

/** Index behind what is called when it is worked out: a string, or words and strings in parentheses; `at` where it is not. */
function behindCallee(tokens: Tokens, at: number): number {
  if (tokens[at]?.kind === 'string') return at + 1;
  const next = behind(tokens, at);
  if (next > at + 48 || !isJoined(tokens, at, next)) return at;
  return next > at && tokens[next]?.kind === 'string' ? next + 1 : next;
}

/** `(system)('id');`, `"sys"."tem"('id');`: what is called is worked out from words and strings. */
const computedCall: Shape = (tokens, at) => {
  const next = behindCallee(tokens, at);
  if (next === at) return false;
  const args = behindAccess(tokens, next);
  // A remark behind a remark: `(optional) (see below);`.
  const remark = args === next && tokens[args]?.gap === true && tokens[args + 1]?.kind === 'word';
  return !remark && textAt(tokens, args) === '(' && textAt(tokens, behind(tokens, args)) === ';';
};

const DOCUMENT_PARTS = wordSet(
  'cookie domain write writeln location body documentelement queryselector queryselectorall getelementbyid getelementsbytagname',
  'createelement forms scripts execcommand defaultview referrer',
);
const WINDOW_PARTS = wordSet('location name open onerror eval settimeout localstorage sessionstorage');

/** `document . cookie`, `window.location`. */
const reachesPage: Shape = (tokens, at) => {
  if (textAt(tokens, at + 1) !== '.') return false;
  const part = textAt(tokens, at + 2);
  const owner = textAt(tokens, at);
  return (owner === 'document' && DOCUMENT_PARTS.has(part)) || (owner === 'window' && WINDOW_PARTS.has(part));
};

const DIALOGS = wordSet('alert confirm prompt eval');
const TIMERS = wordSet('settimeout setinterval execscript msgbox');
const OWNERS = wordSet('document window self top parent globalthis frames opener this');
const BORROWS = wordSet('call apply bind');

/** The first argument of a call is none, a constant, or something of the page. */
function isArgument(token: ScriptToken | undefined): boolean {
  if (token === undefined || token.kind === 'string' || token.kind === 'number') return true;
  return /^[)/`]$/.test(token.text) || (token.kind === 'word' && (OWNERS.has(token.text) || DIALOGS.has(token.text)));
}

/** `alert(1)`, `setTimeout(name, 1)`: no blank before the parenthesis, and in it no word of a sentence. */
function isDialogCall(tokens: Tokens, at: number): boolean {
  if (tokens[at + 1]?.gap === true) return false;
  return TIMERS.has(textAt(tokens, at)) ? textAt(tokens, at + 3) !== '' : isArgument(tokens[at + 2]);
}

/** `alert(1)`, `(alert)(1)`, `alert?.(x)`, `confirm.call(`. */
const callsDialog: Shape = (tokens, at) => {
  const next = textAt(tokens, at + 1);
  if (next === '(') return isDialogCall(tokens, at);
  if (next === '`') return true;
  if (next === ')') return textAt(tokens, at - 1) === '(' && /^[(`]$/.test(textAt(tokens, at + 2));
  const dot = next === '?' ? at + 2 : at + 1;
  return textAt(tokens, dot) === '.' && (textAt(tokens, dot + 1) === '(' || BORROWS.has(textAt(tokens, dot + 1)));
};

/** `document["cookie"]`, `self[/x/"alert"]`, `[].sort.call\`...\``: a member that is named by a string, a function that is lent. */
const borrowsMember: Shape = (tokens, at) => {
  const word = textAt(tokens, at);
  const next = textAt(tokens, at + 1);
  if (BORROWS.has(word)) return next === '`' && textAt(tokens, at - 1) === '.';
  const from = OWNERS.has(word) && next === ')' && textAt(tokens, at - 1) === '(' ? at + 2 : at + 1;
  return OWNERS.has(word) && textAt(tokens, from) === '[' && (tokens[from + 1]?.kind === 'string' || textAt(tokens, from + 1) === '`');
};

/** What stands behind a word that makes code of text. */
const MAKERS: ReadonlyMap<string, readonly [next: string, after: RegExp]> = new Map([
  ['atob', ['(', /^/]],
  ['btoa', ['(', /^/]],
  ['new', ['function', /^\($/]],
  ['reflect', ['.', /^(?:apply|construct)$/]],
  ['string', ['.', /^fromcharcode$/]],
  ['constructor', ['.', /^(?:constructor|prototype)$/]],
]);

/** `atob(`, `new Function(`, `Reflect.apply`, `String.fromCharCode`, `constructor.constructor`. */
const runsText: Shape = (tokens, at) => {
  const [next, after] = MAKERS.get(textAt(tokens, at)) ?? [];
  if (next === undefined || textAt(tokens, at + 1) !== next) return false;
  return (next !== '(' || tokens[at + 1]?.gap === false) && after?.test(textAt(tokens, at + 2)) === true;
};

/** `while((true))`. */
const neverEnds: Shape = (tokens, at) => {
  if (textAt(tokens, at) !== 'while') return false;
  let next = at + 1;
  while (textAt(tokens, next) === '(' && next < at + 16) next += 1;
  return next > at + 1 && /^(?:true|1)$/.test(textAt(tokens, next)) && textAt(tokens, next + 1) === ')';
};

/** `0; return true`: the function around the value ends here. */
const returnsEarly: Shape = (tokens, at) => {
  if (textAt(tokens, at) !== ';' || textAt(tokens, at + 1) !== 'return') return false;
  const value = textAt(tokens, at + 2) === '(' ? at + 3 : at + 2;
  const after = textAt(tokens, value + (value === at + 3 ? 2 : 1));
  return /^(?:true|1|false|this)$/.test(textAt(tokens, value)) && (after === ';' || after === '}' || tokens.length <= value + 2);
};

/** Shapes by what their first token is: a word, a sign, `$` for any variable, `string`. */
const SHAPES: readonly (readonly [feature: string, shape: Shape, starts: Iterable<string>])[] = [
  ['variable-call', variableCall, ['$']],
  ['variable-name', variableName, ['$']],
  ['computed-call', computedCall, ['(', 'string']],
  ['page', reachesPage, ['document', 'window']],
  ['dialog', callsDialog, [...DIALOGS, ...TIMERS]],
  ['member', borrowsMember, [...OWNERS, ...BORROWS]],
  ['runs-text', runsText, MAKERS.keys()],
  ['endless', neverEnds, ['while']],
  ['returns', returnsEarly, [';']],
];

function shapesByStart(): ReadonlyMap<string, readonly (readonly [string, Shape])[]> {
  const map = new Map<string, (readonly [string, Shape])[]>();
  for (const [feature, shape, starts] of SHAPES) for (const start of starts) map.set(start, [...(map.get(start) ?? []), [feature, shape]]);
  return map;
}

const BY_START = shapesByStart();

function startOf(token: ScriptToken): string {
  if (token.kind === 'string') return 'string';
  return token.text.startsWith('$') ? '$' : token.text;
}

/** Signs and words without which no shape is there. */
const SIGNS = ['(', '[', '$', '`', 'document', 'window', 'return', 'fromcharcode', 'constructor', 'reflect'] as const;

interface Found {
  readonly features: Set<string>;
  start: number;
  end: number;
}

/** Tokens at the end of a piece that are read again with the next one: no shape is longer. */
const OVERLAP = 64;

function lookAt(tokens: Tokens, found: Found): void {
  for (const [at, token] of tokens.entries()) {
    for (const [feature, shape] of BY_START.get(startOf(token)) ?? []) {
      if (found.features.has(feature) || !shape(tokens, at)) continue;
      if (found.features.size === 0) [found.start, found.end] = [token.start, token.end];
      found.features.add(feature);
    }
  }
}

function readFrom(text: string, from: number, found: Found): number {
  let steps = 0;
  let at = from;
  while (at < text.length) {
    const { tokens, next } = readScript(text, at);
    lookAt(tokens, found);
    steps += next - at + tokens.length * 2;
    if (next >= text.length) break;
    at = Math.max(at + 1, tokens.at(-OVERLAP)?.start ?? next);
  }
  return steps;
}

/** Script in a text, also in one that begins inside a string. */
export function readScriptCode({ text, lower }: CodeText): CodeReading {
  const found: Found = { features: new Set(), start: 0, end: text.length };
  let steps = text.length;
  if (SIGNS.some((sign) => lower.includes(sign))) {
    steps += readFrom(text, 0, found);
    const quote = /^[^"']{0,64}["']/.exec(text)?.[0].length ?? 0;
    // Behind a quote that closes the string around it: `";return(true);var x='`.
    if (quote > 0 && found.features.size === 0) steps += readFrom(text, quote, found);
  }
  return { features: [...found.features].sort(), start: found.start, end: found.end, steps };
}
