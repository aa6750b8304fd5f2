/**
 * @module Understand: an action becomes Facts. One flow: leaves, layers, then each reader over each text, then commands and statements
 * and what they name. Synchronous, pure and total; equal actions and signals give equal facts.
 */
import type { Action, CommandFact, Facts, FactsCut, Signal, StatementFact } from '@countersign/protocol';
import { decodeLeaf, type ReadText } from './decode.ts';
import { addCommandHosts, addNamed, addTarget, addUrlAt, addWholeLeaf, createHostFinder, hostFacts, type HostFinder } from './hosts.ts';
import { joinedView, leavesOf } from './leaves.ts';
import { FACTS_LIMITS } from './limits.ts';
import { compileLiterals } from './literals.ts';
import { createMeter, type Meter } from './meter.ts';
import type { Parsers } from './parsers.ts';
import { addCommandPaths, addFileUrl, addTextPaths, createPathFinder, pathFacts, type PathFinder } from './paths.ts';
import { announcedPii, createPiiFinder, scanPii, type PiiFinder } from './pii.ts';
import { PII_WORDS } from './pii-words.ts';
import { readUrl } from './read-host.ts';
import { addKeyedSecret, createSecretFinder, scanSecrets, SECRET_WORDS, type SecretFinder } from './secrets.ts';
import { createShellReader, looksLikeShell } from './shell.ts';
import { createSqlReader, looksLikeSql } from './sql.ts';
import { shellTextsOf, sqlTextsOf } from './languages.ts';

/** Turns actions into facts. */
export interface Understanding {
  /** Total: never throws, whatever the action. Signals of kind `symlink` resolve paths. */
  understand(action: Action, signals: readonly Signal[]): Facts;
}

const NAMED_HOSTS = ['169.254.169.254', 'metadata.google.internal', '100.100.100.200', '168.63.129.16', 'fd00:ec2::254', '169.254.170.2'];
const WORDS: readonly string[] = [...new Set([...SECRET_WORDS, ...PII_WORDS, ...NAMED_HOSTS])];
const SECRET_NUMBER = Int32Array.from(WORDS, (word) => SECRET_WORDS.indexOf(word));
const PII_NUMBER = Int32Array.from(WORDS, (word) => PII_WORDS.indexOf(word));
const URL_WORD = WORDS.indexOf('://');
const NAMED_FROM = WORDS.length - NAMED_HOSTS.length;
const wordIndex = compileLiterals(WORDS);

interface Finders {
  readonly meter: Meter;
  readonly hosts: HostFinder;
  readonly paths: PathFinder;
  readonly secrets: SecretFinder;
  readonly pii: PiiFinder;
}

/** All readers that look at one text on its own. */
function readText(finders: Finders, read: ReadText): void {
  const { meter, hosts, paths, secrets, pii } = finders;
  const { fact } = read;
  meter.steps += fact.lower.length;
  const scan = scanSecrets(secrets, read);
  const cursor = { end: 0 };
  wordIndex.scan(fact.lower, (word, start, end) => {
    const secret = SECRET_NUMBER[word] ?? -1;
    if (secret >= 0) scan.hit(secret, start, end);
    const announced = PII_NUMBER[word] ?? -1;
    if (announced >= 0) announcedPii(pii, read, { number: announced, start, end });
    if (word === URL_WORD) addUrlAt(hosts, read, { colon: start, cursor });
    else if (word >= NAMED_FROM) addNamed(hosts, read, { start, end });
  });
  addKeyedSecret(secrets, read);
  scanPii(pii, read);
  addWholeLeaf(hosts, read);
  addTextPaths(paths, read);
}

/** The layers of all leaves, in order. */
function readLeaves(action: Action, meter: Meter): { texts: ReadText[]; joined: readonly ReadText[] } {
  const leaves = leavesOf(action, meter);
  const texts: ReadText[] = [];
  for (const leaf of leaves) {
    for (const read of decodeLeaf(leaf, meter, Math.max(1, FACTS_LIMITS.textsMax - texts.length))) texts.push(read);
  }
  const view = joinedView(leaves);
  return { texts, joined: view === undefined ? [] : decodeLeaf(view, meter, Math.max(1, FACTS_LIMITS.textsMax - texts.length)) };
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
    const moved = reading.commands.map((command) =>
      command.pipedFrom < 0 || base === 0 ? command : { ...command, pipedFrom: command.pipedFrom + base },
    );
    if (appendUpTo(commands, moved, FACTS_LIMITS.commandsMax)) meter.cuts.add('commands');
  }
  return commands;
}

function readStatements(action: Action, reads: ReadTexts, languages: Languages): StatementFact[] {
  const { meter } = reads;
  const statements: StatementFact[] = [];
  const read = (list: ReturnType<typeof sqlTextsOf>): void => {
    if (list.length > FACTS_LIMITS.sqlTextsMax) meter.cuts.add('sql-unknown');
    for (const { text, span, layers } of list.slice(0, FACTS_LIMITS.sqlTextsMax)) {
      const reading = languages.sql.readSql(text, { span, layers });
      meter.steps += reading.steps;
      if (reading.cut || appendUpTo(statements, reading.statements, FACTS_LIMITS.statementsMax)) meter.cuts.add('sql-unknown');
    }
  };
  read(sqlTextsOf(action, reads.texts, looksLikeSql));
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

function understandAction(action: Action, signals: readonly Signal[], languages: Languages): Facts {
  const meter = createMeter();
  const finders: Finders = {
    meter,
    hosts: createHostFinder(action, meter),
    paths: createPathFinder(action, signals, meter),
    secrets: createSecretFinder(meter),
    pii: createPiiFinder(meter),
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
  const statements = readStatements(action, reads, languages);
  addFileUrls(finders);
  return {
    texts: [...texts, ...joined].map((read) => read.fact),
    commands,
    statements,
    paths: pathFacts(finders.paths),
    hosts: hostFacts(finders.hosts),
    secrets: finders.secrets.found,
    pii: finders.pii.found,
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
