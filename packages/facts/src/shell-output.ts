/**
 * @module What a command would print, for the few commands whose output is plain from their words and their input: `echo`, `printf`,
 * `base64 -d`, `xxd -r -p`, `rev`, `tr`, `cat`. That is how encoded commands are handed to a shell.
 */
import { decodeAnsi } from './shell-ansi.ts';
import { SHELL_LIMITS } from './shell-limits.ts';

type Printer = (args: readonly string[], input: string | undefined) => string | undefined;

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const CONVERSION = /%(?:%|[-+ #0]{0,4}\d{0,3}(?:\.\d{0,3})?([sbqdiuxXoc]))/g;

function toText(bytes: readonly number[]): string {
  return new TextDecoder().decode(new Uint8Array(bytes));
}

/** Decodes base64 or base32; characters outside the alphabet are passed over, as `base64 -di` does. */
function decodeBytes(text: string, alphabet: string, bitsPerDigit: number): readonly number[] {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const char of text) {
    const digit = alphabet.indexOf(char === '-' ? '+' : char === '_' ? '/' : char);
    if (digit === -1) continue;
    value = ((value << bitsPerDigit) | digit) & 0xffff;
    bits += bitsPerDigit;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >> bits) & 0xff);
  }
  return bytes;
}

function decodeRadix(text: string, alphabet: string, bitsPerDigit: number): string {
  return toText(decodeBytes(text, alphabet, bitsPerDigit));
}

/** UTF-16LE in base64, which is how PowerShell takes a command. */
export function decodeEncodedCommand(base64: string): string {
  return new TextDecoder('utf-16le').decode(new Uint8Array(decodeBytes(base64, BASE64, 6)));
}

function decodeHex(text: string): string {
  const digits = text.replaceAll(/[^0-9A-Fa-f]/g, '');
  const bytes: number[] = [];
  for (let i = 0; i + 1 < digits.length; i += 2) bytes.push(Number.parseInt(digits.slice(i, i + 2), 16));
  return toText(bytes);
}

function echo(args: readonly string[]): string {
  let first = 0;
  let escapes = false;
  let newline = true;
  while (/^-[neE]{1,3}$/.test(args[first] ?? '')) {
    const flag = args[first] ?? '';
    escapes ||= flag.includes('e');
    newline &&= !flag.includes('n');
    first += 1;
  }
  const text = args.slice(first).join(' ');
  return (escapes ? decodeAnsi(text) : text) + (newline ? '\n' : '');
}

function convert(conversion: string, value: string): string {
  if (conversion === 'b') return decodeAnsi(value);
  if (conversion === 'c') return value.slice(0, 1);
  if (conversion === 'x' || conversion === 'X' || conversion === 'o') {
    const number = Number(value);
    const text = Number.isInteger(number) ? number.toString(conversion === 'o' ? 8 : 16) : '0';
    return conversion === 'X' ? text.toUpperCase() : text;
  }
  return value;
}

function printf(args: readonly string[]): string | undefined {
  const [format, ...values] = args[0] === '--' ? args.slice(1) : args;
  if (format === undefined || format === '-v') return undefined;
  const pattern = decodeAnsi(format);
  let text = '';
  let next = 0;
  do {
    const before = next;
    text += pattern.replaceAll(CONVERSION, (_, conversion: string | undefined) => {
      if (conversion === undefined) return '%';
      const value = values[next] ?? '';
      next += 1;
      return convert(conversion, value);
    });
    if (next === before) break;
  } while (next < values.length && text.length < SHELL_LIMITS.wordCharsMax);
  return text;
}

function flagged(args: readonly string[], flags: RegExp): boolean {
  return args.some((arg) => flags.test(arg));
}

function fromBase64(args: readonly string[], input: string | undefined): string | undefined {
  return input !== undefined && flagged(args, /^(?:-[diDw]*[dD][iw]*|--decode)$/) ? decodeRadix(input, BASE64, 6) : undefined;
}

function fromXxd(args: readonly string[], input: string | undefined): string | undefined {
  const both = flagged(args, /^-(?:r|rp|pr|rps)$/) && flagged(args, /^-(?:p|ps|rp|pr|rps|plain)$/);
  return input !== undefined && both ? decodeHex(input) : undefined;
}

function fromOpenssl(args: readonly string[], input: string | undefined): string | undefined {
  const decodes = flagged(args, /^-?base64$|^-a$/) && args.includes('-d');
  return input !== undefined && decodes ? decodeRadix(input, BASE64, 6) : undefined;
}

function expandSet(set: string): string {
  const plain = set
    .replaceAll('[:upper:]', 'A-Z')
    .replaceAll('[:lower:]', 'a-z')
    .replaceAll('[:digit:]', '0-9')
    .replaceAll('[:space:]', ' \t\n');
  return decodeAnsi(plain).replaceAll(/([\x20-\x7e])-([\x20-\x7e])/g, (_, from: string, to: string) => {
    const start = from.codePointAt(0) ?? 0;
    const count = Math.max((to.codePointAt(0) ?? 0) - start + 1, 0);
    return Array.from({ length: count }, (__, i) => String.fromCodePoint(start + i)).join('');
  });
}

function tr(args: readonly string[], input: string | undefined): string | undefined {
  const sets = args.filter((arg) => !/^-[a-zA-Z]{1,3}$/.test(arg)).map((set) => expandSet(set.slice(0, 512)));
  const [from, to] = sets;
  if (input === undefined || from === undefined || flagged(args, /^-[cCst]{1,3}$/)) return undefined;
  if (args.includes('-d')) return Array.from(input, (char) => (from.includes(char) ? '' : char)).join('');
  if (to === undefined || to === '') return undefined;
  return Array.from(input, (char) => {
    const at = from.indexOf(char);
    return at === -1 ? char : (to[Math.min(at, to.length - 1)] ?? char);
  }).join('');
}

function rev(args: readonly string[], input: string | undefined): string | undefined {
  if (input === undefined || args.length > 0) return undefined;
  return input
    .split('\n')
    .map((line) => Array.from(line).reverse().join(''))
    .join('\n');
}

function pass(args: readonly string[], input: string | undefined): string | undefined {
  return args.every((arg) => arg.startsWith('-')) ? input : undefined;
}

/** `command -v rm` and `which rm` print a path whose last part is the name. */
function locate(args: readonly string[]): string | undefined {
  const names = args.filter((arg) => !arg.startsWith('-'));
  return names.length === 1 ? `${names[0] ?? ''}\n` : undefined;
}

const PRINTERS: ReadonlyMap<string, Printer> = new Map<string, Printer>([
  ['echo', echo],
  ['printf', printf],
  ['base64', fromBase64],
  [
    'base32',
    (args, input) =>
      input !== undefined && flagged(args, /^(?:-d|-D|--decode)$/) ? decodeRadix(input.toUpperCase(), BASE32, 5) : undefined,
  ],
  ['b64decode', (_, input) => (input === undefined ? undefined : decodeRadix(input, BASE64, 6))],
  ['basenc', fromBase64],
  ['xxd', fromXxd],
  ['openssl', fromOpenssl],
  ['tr', tr],
  ['rev', rev],
  ['cat', pass],
  ['tee', (_, input) => input],
  ['which', locate],
]);

/** Standard output of one command, or undefined where it is not plain from words and input. */
export function outputOf(name: string, args: readonly string[], input: string | undefined): string | undefined {
  const text = PRINTERS.get(name)?.(args, input);
  return text === undefined || text.length > SHELL_LIMITS.evalCharsMax ? undefined : text;
}

/** What `command -v name` prints; the `command` wrapper would hide it. */
export function outputOfLookup(args: readonly string[]): string | undefined {
  return args[0] === '-v' || args[0] === '-V' ? locate(args) : undefined;
}
