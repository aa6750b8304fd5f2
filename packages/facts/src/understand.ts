/**
 * @module Understand: an action becomes Facts. One flow: leaves, layers, then each reader over each text, then commands and statements
 * and what they name. Synchronous, pure and total; equal actions and signals give equal facts.
 */
import type { Action, CodeFact, CommandFact, Facts, FactsCut, Signal, StatementFact, TextFact } from '@countersign/protocol';
import { decodeLeaf, type KnownOfText } from './decode.ts';
import type { ReadText } from './read-text.ts';
import { addCodes } from './codes.ts';
import { addCommandHosts } from './command-hosts.ts';
import { addNamed, addTarget, addUrlAt, addWholeLeaf, createHostFinder, hostFacts, type HostFinder } from './hosts.ts';
import { shellTextsOf, sqlTextsOf, type LanguageText } from './languages.ts';
import { joinedView, leavesOf } from './leaves.ts';
import { effectFacts } from './effects.ts';
import { FACTS_LIMITS } from './limits.ts';
import { createMeter, type Meter } from './meter.ts';
import type { Parsers } from './parsers.ts';
import { addCommandPaths, addFileUrl, addTextPaths, createPathFinder, pathFacts, type PathFinder } from './paths.ts';
import { announcedPii, createPiiFinder, scanPii, type PiiFinder } from './pii.ts';
import { proseFacts } from './prose.ts';
import { joinProfiles, TRAIT } from './profile.ts';
import { readUrl } from './read-host.ts';
import { addKeyedSecret } from './secret-assignments.ts';
import { createSecretFinder, type SecretFinder } from './secret-cursor.ts';
import { scanSecrets } from './secrets.ts';
import { createShellReader, looksLikeShell } from './shell.ts';
import { createSqlReader, looksLikeSql } from './sql.ts';
import { WORDS_ONLY } from './spellings.ts';
import { meaningOfWord, wordsOfJoined } from './text-index.ts';
import { sqlOf } from './tool-body.ts';

/** Turns actions into facts. */
export interface Understanding {
  /** Total: never throws, whatever the action. Signals of kind `symlink` resolve paths. */
  understand(action: Action, signals: readonly Signal[]): Facts;
}

interface Finders {
  readonly meter: Meter;
  readonly hosts: HostFinder;
  readonly paths: PathFinder;
  readonly secrets: SecretFinder;
  readonly pii: PiiFinder;
  readonly codes: CodeFact[];
  /** Where code is looked for: in what a tool is given, and in what a model shows. What is written to a file or run is code by right. */
  readonly codeIn: TextFact['role'] | undefined;
}

const CODE_ROLES: ReadonlyMap<string, TextFact['role'] | undefined> = new Map([
  ['model.output', 'content'],
  ['file.write', undefined],
  ['file.patch', undefined],
  ['shell.exec', undefined],
]);

/** Words of one text, each to the reader it belongs to. */
function readHits(finders: Finders, read: ReadText): void {
  const { hits } = read;
  const scan = scanSecrets(finders.secrets, read);
  const cursor = { end: 0, count: 0 };
  for (let i = 0; i < hits.length; i += 3) {
    const meaning = meaningOfWord(hits[i] ?? -1);
    const start = hits[i + 1] ?? 0;
    const end = hits[i + 2] ?? 0;
    if (meaning.secret >= 0) scan.hit(meaning.secret, start, end);
    if (meaning.pii >= 0) announcedPii(finders.pii, read, { number: meaning.pii, start, end });
    if (meaning.url) addUrlAt(finders.hosts, read, { colon: start, cursor });
    else if (meaning.host) addNamed(finders.hosts, read, { start, end });
  }
  scan.finish();
}

/** All readers that look at one text on its own. Another spelling is read for its words only. */
function readText(finders: Finders, read: ReadText): void {
  if (read.fact.layers.some((layer) => WORDS_ONLY.has(layer))) return;
  if (read.profile.digits > 0 || (read.profile.mask & TRAIT.at) !== 0) scanPii(finders.pii, read);
  if (read.hits.length > 0) readHits(finders, read);
  addKeyedSecret(finders.secrets, read);
  addWholeLeaf(finders.hosts, read);
  addTextPaths(finders.paths, read);
  if (read.fact.role === finders.codeIn) addCodes(finders.codes, read, finders.meter);
}

/** The joined view is made of texts that were read: their signs and words are its own. */
function knownOfJoined(parts: readonly ReadText[]): KnownOfText {
  return {
    profile: joinProfiles(parts.map((part) => part.profile)),
    wordsIn: (lower) => wordsOfJoined(lower, parts),
  };
}

/** The layers of all leaves, in order. */
function readLeaves(action: Action, meter: Meter): { texts: ReadText[]; joined: readonly ReadText[] } {
  const leaves = leavesOf(action, meter);
  const texts: ReadText[] = [];
  const parts: ReadText[] = [];
  for (const leaf of leaves) {
    const reads = decodeLeaf(leaf, meter, { textsLeft: Math.max(1, FACTS_LIMITS.textsMax - texts.length) });
    if (leaf.role === 'param' && reads[0] !== undefined) parts.push(reads[0]);
    for (const read of reads) texts.push(read);
  }
  const view = joinedView(leaves);
  if (view === undefined) return { texts, joined: [] };
  const textsLeft = Math.max(1, FACTS_LIMITS.textsMax - texts.length);
  return { texts, joined: decodeLeaf(view, meter, { textsLeft, known: knownOfJoined(parts) }) };
}

interface Languages {
  readonly shell: ReturnType<typeof createShellReader>;
  readonly sql: ReturnType<typeof createSqlReader>;
}

/** Appends up to `max` items and names the cut. */
function appendUpTo<T>(list: T[], items: readonly T[], max: number): boolean {
  const room = max - list.length;
  for (const item of room < items.length ? items.slice(0, room) : items) list.push(item);
  return room < items.length;
}

/** A command whose pipe is counted from the start of the action's commands. */
function shifted(command: CommandFact, base: number): CommandFact {
  return command.pipedFrom < 0 ? command : { ...command, pipedFrom: command.pipedFrom + base };
}

function readCommands(action: Action, reads: ReadTexts, languages: Languages): CommandFact[] {
  const { meter } = reads;
  const commands: CommandFact[] = [];
  const chosen = shellTextsOf(action, reads, looksLikeShell);
  if (chosen.length > FACTS_LIMITS.shellTextsMax) meter.cuts.add('shell-unknown');
  for (const { text, span, layers } of chosen.slice(0, FACTS_LIMITS.shellTextsMax)) {
    const reading = languages.shell.readShell(text, { span, layers });
    meter.steps += reading.steps;
    if (reading.cut) meter.cuts.add('shell-unknown');
    const base = commands.length;
    const moved = base === 0 ? reading.commands : reading.commands.map((command) => shifted(command, base));
    if (appendUpTo(commands, moved, FACTS_LIMITS.commandsMax)) meter.cuts.add('commands');
  }
  return commands;
}

/** Statements that clients of databases are given by commands. */
function bodiesOf(commands: readonly CommandFact[]): readonly LanguageText[] {
  return commands.flatMap(({ call, span }) => {
    const text = call === undefined ? undefined : sqlOf(call);
    return text === undefined ? [] : [{ text, span, layers: ['inline'] }];
  });
}

function readStatements(
  action: Action,
  reads: ReadTexts,
  input: { languages: Languages; commands: readonly CommandFact[] },
): StatementFact[] {
  const { languages, commands } = input;
  const { meter } = reads;
  const statements: StatementFact[] = [];
  const read = (list: readonly LanguageText[], keep: (statement: StatementFact) => boolean = () => true): void => {
    if (list.length > FACTS_LIMITS.sqlTextsMax) meter.cuts.add('sql-unknown');
    for (const { text, span, layers } of list.slice(0, FACTS_LIMITS.sqlTextsMax)) {
      const reading = languages.sql.readSql(text, { span, layers });
      meter.steps += reading.steps;
      if (reading.cut || appendUpTo(statements, reading.statements.filter(keep), FACTS_LIMITS.statementsMax)) meter.cuts.add('sql-unknown');
    }
  };
  read(sqlTextsOf(action, reads.texts, looksLikeSql));
  // A client says what is wrong with half a statement: fragments are for what lands inside another.
  read(bodiesOf(commands), (statement) => !statement.fragment);
  if (statements.length === 0) read(sqlTextsOf(action, reads.joined, looksLikeSql));
  return statements;
}

interface ReadTexts {
  readonly texts: readonly ReadText[];
  readonly joined: readonly ReadText[];
  readonly meter: Meter;
}

/** Paths that hide in `file:` URLs of commands and leaves. */
function addFileUrls(finders: Finders): void {
  for (const host of hostFacts(finders.hosts)) {
    if (host.scheme !== 'file' && host.scheme !== 'netdoc') continue;
    const path = readUrl(host.raw)?.filePath;
    if (path !== undefined) addFileUrl(finders.paths, path, host.span);
  }
}

function factsOfTexts(texts: readonly ReadText[], joined: readonly ReadText[]): TextFact[] {
  const facts: TextFact[] = [];
  for (const read of texts) facts.push(read.fact);
  for (const read of joined) facts.push(read.fact);
  return facts;
}

function understandAction(action: Action, signals: readonly Signal[], languages: Languages): Facts {
  const meter = createMeter();
  const finders: Finders = {
    meter,
    hosts: createHostFinder(action, meter),
    paths: createPathFinder(action, signals, meter),
    secrets: createSecretFinder(meter),
    pii: createPiiFinder(meter),
    codes: [],
    codeIn: CODE_ROLES.has(action.kind) ? CODE_ROLES.get(action.kind) : 'param',
  };
  const { texts, joined } = readLeaves(action, meter);
  const reads: ReadTexts = { texts, joined, meter };
  if (action.targetUrl !== undefined) addTarget(finders.hosts, action.targetUrl);
  for (const read of texts) readText(finders, read);
  const commands = readCommands(action, reads, languages);
  for (const [index, command] of commands.entries()) {
    addCommandHosts(finders.hosts, command, index);
    addCommandPaths(finders.paths, command, index);
  }
  const statements = readStatements(action, reads, { languages, commands });
  addFileUrls(finders);
  const [paths, hosts] = [pathFacts(finders.paths), hostFacts(finders.hosts)];
  const effects = effectFacts({ texts, commands, paths, hosts }, meter);
  const prose = proseFacts(action, texts, meter);
  return {
    texts: factsOfTexts(texts, joined),
    commands,
    statements,
    codes: finders.codes,
    paths,
    hosts,
    effects,
    secrets: finders.secrets.found,
    pii: finders.pii.found,
    ...(prose === undefined ? {} : { prose }),
    cuts: [...meter.cuts].sort(),
    encodings: [...meter.encodings].sort(),
    steps: meter.steps,
  } satisfies Facts & { cuts: readonly FactsCut[] };
}

/** Composes all readers around the two grammars. */
export function createUnderstanding(parsers: Parsers): Understanding {
  const languages: Languages = { shell: createShellReader(parsers.shell), sql: createSqlReader(parsers.sql) };
  return { understand: (action, signals) => understandAction(action, signals, languages) };
}
