/**
 * @module Evidence that whoever holds the log's key could make up, and files put together from others: the damage knows what it damages, so
 * that every check is reached. Everything comes from one source of random numbers.
 */
import { base64, createSigner, fromBase64, noteSignatureLine, noteVerifierKey, sha256Hex, type Signer } from '@countersign/crypto';
import { canonicalize, type JsonValue } from '@countersign/kernel';
import { cosignatureLine, cosignerKeyText, emptyRoot, leafHash, rootOf } from '@countersign/log';
import type { Trust } from '@countersign/receipts/verify';
import { consistencyRanges, inclusionRanges } from '../../packages/log/src/proof.ts';
import { logSigner, ORIGIN, trust } from '../../packages/receipts/test/fixtures.ts';
import type { Question } from './both-verifiers.ts';

export type Random = () => number;
type Members = Record<string, JsonValue>;

const signerOf = (seed: number): Signer => createSigner(new Uint8Array(32).fill(seed));
const SECOND = signerOf(11);
const STRANGER = signerOf(99);
const OTHER = 'example.org/other';
const WITNESSES = [21, 22, 23].map((seed) => ({ name: `witness.example/${seed % 2}`, signer: signerOf(seed) }));

export function below(random: Random, count: number): number {
  return Math.floor(random() * count);
}

export function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[below(random, items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

function copy<Value extends JsonValue>(value: Value): Value {
  return structuredClone(value);
}

const LETTERS = '0123456789abcdefABCDEF+/-_= \n'.split('');
const ODD: readonly JsonValue[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  '',
  'x',
  'é😀',
  [],
  {},
  [0],
  { a: 1 },
  'A'.repeat(43),
  'A'.repeat(86),
  `${'A'.repeat(42)}B=`,
  '0'.repeat(64),
  '2026-01-02T03:05:05.678Z',
  '2026-01-02T03:05:05.679Z',
  'countersign.receipt.v1',
  'countersign.outcome.v1',

  'countersign.vault',
  'countersign.log',
  'countersign.erasure.v1',
  'countersign.session-end.v1',
  '01930000-0000-7000-8000-000000000001',
  'a\nb',
  '\u0085',
  '\u2028',
  '\u00a0',
  '\ufeff',
  '\u007f',
  'x'.repeat(128),
  'x'.repeat(129),
  '😀'.repeat(65),
  's'.repeat(161),
];

export function otherLeaf(value: JsonValue, random: Random): JsonValue {
  if (typeof value === 'string' && value !== '' && random() < 0.5) {
    const at = below(random, value.length);
    return `${value.slice(0, at)}${pick(random, LETTERS)}${value.slice(at + 1)}`.toWellFormed();
  }
  if (typeof value === 'number' && random() < 0.7) return value + pick(random, [-1, 1, 1, 2 ** 32]);
  return pick(random, ODD);
}

function isMembers(value: JsonValue | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function membersOf(value: JsonValue | undefined): Members {
  return isMembers(value) ? value : {};
}

function plainText(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** One member somewhere below changed, taken away, doubled under another name, moved elsewhere, or an item dropped, doubled, turned round. */
export function damage(root: JsonValue, random: Random): void {
  let at = root;
  while (typeof at === 'object' && at !== null) {
    const inner = at as unknown as Members; // Lists are walked by their indexes too.
    const keys = Object.keys(inner);
    if (keys.length === 0) return;
    const key = pick(random, keys);
    const value = inner[key] ?? null;
    if (typeof value === 'object' && value !== null && Object.keys(value).length > 0 && random() < 0.8) {
      at = value;
      continue;
    }
    if (Array.isArray(inner)) damageList(inner, Number(key), random);
    else damageMember(inner, key, random);
    return;
  }
}

function damageMember(inner: Members, key: string, random: Random): void {
  const kind = random();
  const value = inner[key] ?? null;
  if (kind < 0.15) delete inner[key];
  else if (kind < 0.25) inner[`${key}x`] = value;
  else if (kind < 0.35) inner[key] = inner[pick(random, Object.keys(inner))] ?? null;
  else inner[key] = otherLeaf(value, random);
}

function damageList(list: JsonValue[], at: number, random: Random): void {
  const kind = random();
  if (kind < 0.2) list.splice(at, 1);
  else if (kind < 0.4) list.splice(at, 0, list[at] ?? null);
  else if (kind < 0.5) list.reverse();
  else list[at] = otherLeaf(list[at] ?? null, random);
}

// Notes.

const LINES: readonly string[] = [
  '\n',
  '— x AAAA\n',
  '— x AAAAAAA=\n',
  '— x AAAAAAA\n',
  '— x AAAAAB==\n',
  '-- x AAAAAAA=\n',
  '—  AAAAAAA=\n',
  '— a+b AAAAAAA=\n',

  '— a\u0085b AAAAAAA=\n',
  '— a\u00a0b AAAAAAA=\n',
  '— a\u200bb AAAAAAA=\n',
  '— a\ufeffb AAAAAAA=\n',
  '— x AAAAAAA= \n',
  '— x AAAAAAA=\r\n',

  '— x y AAAAAAA=\n',
  'x\n',
  'x',
  '\u007f\n',
  '— \u0301 AAAAAAA=\n',
  '— é AAAAAAA=\n',
  '— x AAAAAAA=\n'.repeat(98),
  '— x AAAAAAA=\n'.repeat(100),
];

/** A line that some key signed; of a cosignature with any time. */
function signedLine(text: string, random: Random): string {
  const kind = random();
  if (kind < 0.35) return logLine(text, pick(random, [ORIGIN, ORIGIN, OTHER]), pick(random, [logSigner, SECOND, STRANGER]));
  const by = pick(random, WITNESSES);
  if (kind < 0.4) return logLine(text, by.name, by.signer);
  try {
    const line = cosignatureLine(text, pick(random, [0, 1, 1_780_000_000, 2 ** 53 - 1]), by);
    return random() < 0.15 ? otherTime(line, random) : line;
  } catch {
    return ''; // Only checkpoints are cosigned.
  }
}

function otherTime(line: string, random: Random): string {
  const at = line.lastIndexOf(' ') + 1;
  const bytes = Buffer.from(line.slice(at, -1), 'base64');
  const place = 4 + below(random, bytes.length - 4);
  bytes[place] = (bytes[place] ?? 0) ^ 128;
  return `${line.slice(0, at)}${bytes.toString('base64')}\n`;
}

function logLine(text: string, name: string, by: Signer): string {
  const key = fromBase64(noteVerifierKey(name, by.publicKey).split('+').slice(2).join('+')) ?? new Uint8Array(0);
  const keyHash = Number.parseInt(sha256Hex(Buffer.concat([Buffer.from(`${name}\n`), key])).slice(0, 8), 16);
  return noteSignatureLine({ name, keyHash, signature: by.sign(text) });
}

/** The text of a checkpoint as it should be, or nearly. */
function textOf(size: number, root: Uint8Array, random: Random): string {
  const kind = random();
  const plain = `${kind < 0.03 ? OTHER : ORIGIN}\n${size}\n${base64(root)}\n`;
  if (kind < 0.85) return plain;
  return pick(random, [
    `${plain}more\n`,
    `${plain}more\n— even this\n`,
    `${plain}\n`,
    `${plain}a\n\nb\n`,
    `\n${size}\n${base64(root)}\n`,
    `${ORIGIN}\n0${size}\n${base64(root)}\n`,
    `${ORIGIN}\n9007199254740992\n${base64(root)}\n`,
    `${ORIGIN}\n${size + 1}\n${base64(root)}\n`,
    `${ORIGIN}\n${size}\n${base64(root.subarray(1))}\n`,
    `${ORIGIN}\n${size}\n`,
    `${ORIGIN}\n٣\n${base64(root)}\n`,
    `${ORIGIN}\u00e9\u2028\n${size}\n${base64(root)}\n`,
    `${ORIGIN}\t\n${size}\n${base64(root)}\n`,
    plain.slice(0, -1),
  ]);
}

export function noteOf(size: number, root: Uint8Array, random: Random): string {
  const text = textOf(size, root, random);
  const first = random() < 0.93 ? logLine(text, text.startsWith(OTHER) ? OTHER : ORIGIN, logSigner) : '';
  const more = Array.from({ length: random() < 0.5 ? 0 : 1 + below(random, 3) }, () => signedLine(text, random));
  return damageNote(`${text}\n${[first, ...more].join('')}`, random);
}

/** Most notes stay as they are; of the others, lines are added, taken away, doubled or turned round, or one character is another one. */
export function damageNote(note: string, random: Random): string {
  const kind = random();
  if (kind < 0.75) return note;
  const split = note.lastIndexOf('\n\n') + 2;
  const [text, lines] = [note.slice(0, split), note.slice(split).split(/(?<=\n)/)];
  if (kind < 0.82) lines.splice(below(random, lines.length + 1), 0, pick(random, LINES));
  else if (kind < 0.86) lines.splice(below(random, lines.length), 1);
  else if (kind < 0.9) lines.push(pick(random, lines));
  else if (kind < 0.94) lines.reverse();
  else return plainText(otherLeaf(note, random));
  return text + lines.join('');
}

/** The file with a digest where there must be one, or, now and then, where there need not be, one that is wrong, or none. */
export function sealed(file: Members, notes: readonly JsonValue[], random: Random): Uint8Array {
  const { digest: _, ...rest } = file;
  const several = notes.some((note) => typeof note === 'string' && note.slice(note.lastIndexOf('\n\n') + 2).split('\n').length > 2);
  const kind = random();
  let whole: Members = rest;
  if (kind < 0.04) whole = { ...rest, digest: pick(random, ODD) };
  else if (kind < 0.08) whole = file;
  else if ((several && kind < 0.97) || kind > 0.98) whole = { ...rest, digest: sha256Hex(canonicalize(rest)) };
  return Buffer.from(damageText(canonicalize(whole), random), 'utf8');
}

/** A file that says the same and is not the canonical text, or says a member twice; seldom. */
function damageText(text: string, random: Random): string {
  if (random() < 0.97) return text;
  const deep = `{"a":${'['.repeat(63 + below(random, 20))}`;
  return pick(random, [
    `${text}\n`,
    `\ufeff${text}`,
    text.replace(',"', ', "'),
    text.replace('"type"', '"typ\\u0065"'),
    text.replace(/"index":\d+/, (found) => `${found},${found}`),
    text.replace(/("proof":\[[^\]]*\])/, '$1,$1'),
    `${deep}${']'.repeat(deep.length - 5)}}`,
    text.replace('{', '{"__proto__":1,'),
    text.replace(/"index":(\d+)/, '"index":$1.0'),
  ]);
}

// Logs.

function proofOf(leaves: readonly Uint8Array[], ranges: readonly { readonly start: number; readonly end: number }[]): string[] {
  return ranges.map(({ start, end }) => base64(rootOf(leaves.slice(start, end))));
}

/** Bundles of entries, each at its place in one log of them all. `like` gives what each bundle says besides. */
export function issue(entries: readonly Members[], like: readonly Members[], random: Random): readonly Uint8Array[] {
  const leaves = entries.map((entry) => leafHash(Buffer.from(canonicalize(entry), 'utf8')));
  const note = noteOf(leaves.length, rootOf(leaves), random);
  return entries.map((entry, index) => {
    const size = random() < 0.9 ? leaves.length : index + 1 + below(random, leaves.length - index);
    const file: Members = {
      ...copy(like[index] ?? {}),
      entry,
      index,
      proof: proofOf(leaves.slice(0, size), inclusionRanges(index, size)),
      checkpoint: size === leaves.length ? note : noteOf(size, rootOf(leaves.slice(0, size)), random),
    };
    if (random() < 0.05) damage(file, random);
    return sealed(file, [file['checkpoint'] ?? ''], random);
  });
}

const LEAVES = Array.from({ length: 40 }, (_, n) => leafHash(Buffer.from(`leaf ${n}`)));

/** A consistency file of a log of up to 40 entries, as it should be or nearly, and perhaps what was seen before. */
export function consistencyQuestion(random: Random): Question {
  const [a, b] = [below(random, 41), below(random, 41)];
  const inOrder: readonly [number, number] = random() < 0.1 ? [a, a] : [Math.min(a, b), Math.max(a, b)];
  const [oldSize, newSize] = random() < 0.95 ? inOrder : [a, b];
  const rootAt = (size: number, wrong = 0.05): Uint8Array => {
    if (random() < wrong) return rootOf(LEAVES.slice(1, size + 1));
    return size === 0 ? emptyRoot() : rootOf(LEAVES.slice(0, size));
  };
  const between = (from: number, to: number): string[] =>
    0 < from && from < to ? proofOf(LEAVES.slice(0, to), consistencyRanges(from, to)) : [];
  const shared = rootAt(oldSize);
  const old = noteOf(oldSize, shared, random);
  const newer = noteOf(newSize, newSize === oldSize && random() < 0.7 ? shared : rootAt(newSize, 0.3), random);
  const proof = random() < 0.97 ? between(oldSize, newSize) : between(below(random, 41), newSize);
  const file: Members = { type: 'countersign.consistency.v1', old, new: newer, proof };
  if (random() < 0.2) damage(file, random);
  const seen = [old, old, old.slice(0, old.lastIndexOf('\n\n') + 1), newer, damageNote(old, random), 'nothing\n', `${old}\n`, ''];
  return {
    op: 'consistency',
    trust: someTrust(random),
    file: sealed(file, [file['old'] ?? '', file['new'] ?? ''], random),
    ...(random() < 0.5 ? {} : { seen: pick(random, seen) }),
  };
}

// Trust.

/** Mostly the key of the log; further keys, ones that are none, witnesses and how many of them. */
export function someTrust(random: Random): Trust {
  const vkeys = [...trust.vkeys];
  if (random() < 0.2) vkeys.push(noteVerifierKey(OTHER, logSigner.publicKey));
  if (random() < 0.2) vkeys.push(noteVerifierKey(pick(random, [ORIGIN, OTHER]), pick(random, [logSigner, SECOND, STRANGER]).publicKey));
  if (random() < 0.05) vkeys.reverse();
  if (random() < 0.03) vkeys.push(plainText(otherLeaf(vkeys[0] ?? '', random)));
  if (random() < 0.02) vkeys.shift();
  const witnesses = WITNESSES.filter(() => random() < 0.3).map(({ name, signer }) => cosignerKeyText(name, signer.publicKey));
  if (random() < 0.03) witnesses.push(pick(random, [...witnesses, ...vkeys, 'x', '']));
  const receiptKeys = random() < 0.8 ? [...(trust.receiptKeys ?? [])] : ['', pick(random, ['x', 'A'.repeat(43)])];
  return {
    vkeys,
    ...(random() < 0.9 ? { receiptKeys } : {}),
    ...(witnesses.length > 0 || random() < 0.1 ? { witnessKeys: witnesses } : {}),
    ...(random() < 0.3 ? { quorum: below(random, 4) } : {}),
  };
}

// Bundles and sessions.

/** Files of others as JSON, to be taken apart. */
export type Parts = readonly Members[];

/** The files; each again with its entry in our log, where what is changed in it can be signed. */
export function partsOf(files: readonly Uint8Array[]): Parts {
  return files.flatMap((bytes) => {
    const file = JSON.parse(Buffer.from(bytes).toString('utf8')) as Members;
    const ours = copy(file);
    Object.assign(membersOf(membersOf(ours['entry'])['body']), { log: ORIGIN });
    return [file, ours];
  });
}

const TOP: readonly string[] = ['type', 'entry', 'index', 'proof', 'checkpoint', 'inputs', 'documents', 'digest'];

/** A bundle put together from two, or with its entry changed and put into a log of its own, or with a note that says more. */
export function bundleQuestion(parts: Parts, random: Random): Question {
  const file = copy(pick(random, parts));
  const kind = random();
  if (kind < 0.5) {
    const entry = membersOf(file['entry']);
    damage(random() < 0.8 ? membersOf(entry['body']) : file, random);
    if (random() < 0.3) file[pick(random, ['inputs', 'documents'])] = copy(pick(random, parts)['inputs'] ?? null);
    const [made = new Uint8Array(0)] = issue([membersOf(file['entry'])], [file], random);
    return { op: 'bundle', trust: someTrust(random), file: made };
  }
  const from = pick(random, parts);
  if (kind < 0.75) for (const name of TOP.filter(() => random() < 0.2)) replace(file, name, from[name]);
  else if (kind < 0.9) file['checkpoint'] = damageNote(withLine(plainText(file['checkpoint']), random), random);
  else damage(file, random);
  return { op: 'bundle', trust: someTrust(random), file: sealed(file, [file['checkpoint'] ?? ''], random) };
}

function replace(file: Members, name: string, value: JsonValue | undefined): void {
  if (value === undefined) delete file[name];
  else file[name] = copy(value);
}

function withLine(note: string, random: Random): string {
  const line = signedLine(note.slice(0, note.lastIndexOf('\n\n') + 1), random);
  return random() < 0.8 ? note + line : note.replace('\n\n', () => `\n\n${line}`);
}

const DUE = '2026-01-02T03:05:05.678Z';
const TIMES: readonly JsonValue[] = [null, '2026-01-02T03:05:05.677Z', DUE, DUE, '2026-01-02T03:05:05.679Z', '2030-01-01T00:00:00.000Z'];
/** Types of entry that stand in any session. */
const CHAINED = /receipt|outcome|session-end/;
const BINDS: readonly string[] = ['id', 'receipt', 'time', 'outcomeBy', 'session', 'org', 'seq', 'prev', 'log'];

function otherBinding(body: Members, bodies: readonly Members[], random: Random): void {
  const name = pick(random, BINDS);
  const from = pick(random, bodies);
  if (!(name in body)) return;
  if (name === 'receipt' || name === 'id') body[name] = from['id'] ?? null;
  else if (name === 'time') body[name] = pick(random, TIMES.slice(1));
  else if (name === 'outcomeBy') body[name] = pick(random, TIMES);
  else if (name === 'session' || name === 'org') body[name] = pick(random, [from[name] ?? 'x', 'a', 'a\nb', 'b\na', 'a\nb\na']);
  else body[name] = otherLeaf(body[name] ?? null, random);
}

/** The body as one of the session that all others are of. */
function bind(body: Members): void {
  Object.assign(body, { log: ORIGIN, session: 'session-1', ...('org' in body ? { org: 'org-1' } : {}) });
  if ('signing' in body) body['signing'] = 'batch';
}

/** Org and session that come to one text where a newline parts them. */
function nameAlike(body: Members, random: Random): void {
  const [org, session] = pick(random, [
    ['a', 'b\na'],
    ['a\nb', 'a'],
  ]);
  body['session'] = session;
  if ('org' in body) body['org'] = org;
  else body['principal'] = { ...membersOf(body['principal']), org };
}

function relink(bodies: readonly Members[]): void {
  let prev: string | null = null;
  for (const [seq, body] of bodies.entries()) {
    Object.assign(body, { seq, prev });
    prev = sha256Hex(canonicalize(body));
  }
}

/** Entries of a session dropped, doubled, turned round, bound otherwise; mostly numbered anew, so that what lies behind the chain is seen. */
export function sessionQuestion(parts: Parts, random: Random): Question {
  const chained =
    random() < 0.1 ? parts : parts.filter(({ entry }) => CHAINED.test(plainText(membersOf(membersOf(entry)['body'])['type'])));
  const like = Array.from({ length: 1 + below(random, 6) }, () => copy(pick(random, chained)));
  const entries = like.map((file) => membersOf(file['entry']));
  const bodies = entries.map((entry) => membersOf(entry['body']));
  for (const body of bodies) if (random() < 0.97) bind(body);
  if (random() < 0.05) for (const body of bodies) nameAlike(body, random);
  for (let n = below(random, 4); n > 0; n -= 1) otherBinding(pick(random, bodies), bodies, random);
  if (random() < 0.85) relink(bodies);
  if (random() < 0.05) otherBinding(pick(random, bodies), bodies, random);
  for (const entry of entries) if (random() < 0.97) entry['signatures'] = [];
  if (random() < 0.05) entries.reverse();
  const bare = like.map(({ type }): Members => ({ type: type ?? null }));
  const files = [...issue(entries, random() < 0.9 ? bare : like, calm(random))];
  if (random() < 0.05) files.splice(below(random, files.length), 1);
  if (random() < 0.05) files.push(...files.slice(-1));
  if (random() < 0.5) files.reverse();
  if (random() < 0.05) files.push(...issue(entries.slice(0, 2), bare, calm(random)));
  if (random() < 0.05) files.splice(0, 1, ...issue([...entries].reverse(), bare, calm(random)).slice(0, 1));
  const believed = random() < 0.9 ? trust : someTrust(random);
  const now = pick(random, TIMES);
  return { op: 'session', trust: believed, files, ...(typeof now === 'string' ? { now } : {}) };
}

/** Mostly the middle of the road: a session of several files is whole only where all of them are. */
function calm(random: Random): Random {
  return () => (random() < 0.9 ? 0.5 : random());
}
