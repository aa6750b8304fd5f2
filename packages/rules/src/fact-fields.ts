/**
 * @module The fields of each class of facts that a rule may test, and how they are read. Text is handed out in lower case.
 */
import type {
  Action,
  CodeFact,
  CommandFact,
  EffectFact,
  Facts,
  HostFact,
  PathFact,
  PiiFact,
  ProseFact,
  SecretFact,
  Span,
  StatementFact,
} from '@countersign/protocol';
import { RULE_LIMITS } from './limits.ts';

export const FACT_CLASSES = [
  'command',
  'statement',
  'code',
  'path',
  'host',
  'effect',
  'secret',
  'pii',
  'prose',
  'tool',
  'key',
  'cut',
  'encoding',
] as const;
export type FactClass = (typeof FACT_CLASSES)[number];

/** How one field is tested: by patterns (`raw`: the same values with their case, for `cased` patterns), by true or false, by numbers, or by a test of the commands it relates to. */
export type Field<T> =
  | {
      readonly type: 'strings';
      readonly values?: readonly string[];
      readonly read: (fact: T) => readonly string[];
      readonly raw?: (fact: T) => readonly string[];
    }
  | { readonly type: 'flag'; readonly read: (fact: T) => boolean }
  | { readonly type: 'numbers'; readonly read: (fact: T) => readonly number[] }
  | { readonly type: 'commands'; readonly read: (fact: T, facts: Facts) => readonly CommandFact[] };

/** A fact that is only a name: a tool, a property, a cut, an encoding. */
export interface NameFact {
  readonly name: string;
  readonly span: Span | undefined;
}

type Fields<T> = Readonly<Record<string, Field<T>>>;

const NOTHING: readonly string[] = [];

function lower(text: string): string {
  return text.toLowerCase();
}

function strings<T>(read: (fact: T) => readonly string[], values?: readonly string[]): Field<T> {
  return values === undefined ? { type: 'strings', read } : { type: 'strings', read, values };
}

/** Values whose case the facts keep. */
function cased<T>(raw: (fact: T) => readonly string[]): Field<T> {
  return { type: 'strings', read: (fact) => raw(fact).map(lower), raw };
}

function flag<T>(read: (fact: T) => boolean): Field<T> {
  return { type: 'flag', read };
}

function keyOf(span: Span): readonly string[] {
  const at = span.path.lastIndexOf('/');
  return [
    lower(
      span.path
        .slice(at + 1)
        .replaceAll('~1', '/')
        .replaceAll('~0', '~'),
    ),
  ];
}

/** The commands that feed this one through pipes, nearest first. */
function feeders(command: CommandFact, facts: Facts): readonly CommandFact[] {
  const found: CommandFact[] = [];
  let from = command.pipedFrom;
  while (from >= 0 && found.length < RULE_LIMITS.pipelineMax) {
    const next = facts.commands[from];
    if (next === undefined || found.includes(next)) break;
    found.push(next);
    from = next.pipedFrom;
  }
  return found;
}

function commandAt(index: number, facts: Facts): readonly CommandFact[] {
  const command = facts.commands[index];
  return command === undefined ? [] : [command];
}

const COMMAND: Fields<CommandFact> = {
  name: strings((fact) => [fact.name]),
  args: cased((fact) => fact.args),
  line: cased((fact) => [fact.line]),
  wrappers: strings((fact) => fact.wrappers.map(lower)),
  redirects: strings((fact) => fact.redirects.map((redirect) => lower(`${redirect.operator} ${redirect.target}`))),
  via: strings(
    (fact) => [fact.via],
    ['top', 'substitution', 'process-substitution', 'inline', 'eval', 'heredoc', 'function', 'interpreter'],
  ),
  dynamic: flag((fact) => fact.dynamic),
  program: cased((fact) => [fact.program]),
  subshell: flag((fact) => fact.subshell),
  key: strings((fact) => keyOf(fact.span)),
  bare: flag((fact) => fact.args.length === 0),
  piped: flag((fact) => fact.pipedFrom >= 0),
  piped_from: { type: 'commands', read: feeders },
  verb: strings((fact) => (fact.call === undefined ? NOTHING : [fact.call.verb])),
  resource: strings((fact) => fact.call?.resources ?? NOTHING),
  flags: strings((fact) => fact.call?.flags.map(lower) ?? NOTHING),
  operands: strings((fact) => fact.call?.operands.map(lower) ?? NOTHING),
  resembles: strings((fact) => fact.call?.resembles ?? NOTHING),
  body: strings((fact) => (fact.call?.body === undefined ? NOTHING : [lower(fact.call.body)])),
};

const STATEMENT: Fields<StatementFact> = {
  kind: strings((fact) => [fact.kind]),
  tables: strings((fact) => fact.tables.map(lower)),
  object: strings((fact) => (fact.object === undefined ? [] : [lower(fact.object)])),
  features: strings((fact) => fact.features),
  by: strings((fact) => [fact.by], ['parser', 'tokens']),
  has_where: flag((fact) => fact.hasWhere),
  tautology: flag((fact) => fact.tautology),
  has_limit: flag((fact) => fact.hasLimit),
  star: flag((fact) => fact.star),
  fragment: flag((fact) => fact.fragment),
  key: strings((fact) => keyOf(fact.span)),
};

const CODE: Fields<CodeFact> = {
  language: strings((fact) => [fact.language], ['html', 'script', 'graphql']),
  features: strings((fact) => fact.features),
  decoded: flag((fact) => fact.layers.length > 0),
  key: strings((fact) => keyOf(fact.span)),
};

const PATH: Fields<PathFact> = {
  path: cased((fact) => (fact.resolved === undefined ? [fact.normalized] : [fact.normalized, fact.resolved])),
  raw: cased((fact) => [fact.raw]),
  access: strings((fact) => [fact.access], ['read', 'write', 'delete', 'execute', 'mention']),
  layers: strings((fact) => fact.layers),
  key: strings((fact) => keyOf(fact.span)),
  traversal: flag((fact) => fact.traversal),
  decoded: flag((fact) => fact.layers.length > 0),
  resolved: flag((fact) => fact.resolved !== undefined),
  command: { type: 'commands', read: (fact, facts) => commandAt(fact.command, facts) },
};

const HOST: Fields<HostFact> = {
  host: strings((fact) => [fact.host]),
  raw: strings((fact) => [lower(fact.raw)]),
  address: strings((fact) => (fact.address === undefined ? [] : [fact.address])),
  scheme: strings((fact) => (fact.scheme === undefined ? [] : [fact.scheme])),
  url: cased((fact) => (fact.url === undefined ? [] : [fact.url])),
  oddities: strings((fact) => fact.oddities),
  access: strings((fact) => [fact.access], ['connect', 'mention']),
  key: strings((fact) => keyOf(fact.span)),
  port: { type: 'numbers', read: (fact) => (fact.port === undefined ? [] : [fact.port]) },
  command: { type: 'commands', read: (fact, facts) => commandAt(fact.command, facts) },
};

const EFFECT: Fields<EffectFact> = {
  kind: strings((fact) => [fact.kind], ['reads', 'writes', 'deletes', 'executes', 'connects', 'escalates', 'persists', 'hides']),
  target: cased((fact) => [fact.target]),
  place: strings((fact) => [fact.place]),
  key: strings((fact) => keyOf(fact.span)),
  command: { type: 'commands', read: (fact, facts) => commandAt(fact.command, facts) },
};

function sensitive<T extends SecretFact | PiiFact>(): Fields<T> {
  return {
    type: strings((fact) => [fact.type]),
    confidence: strings((fact) => [fact.confidence], ['high', 'low']),
    key: strings((fact) => keyOf(fact.span)),
    decoded: flag((fact) => fact.layers.length > 0),
  };
}

const PROSE: Fields<ProseFact> = {
  strength: strings((fact) => [fact.strength], ['likely', 'strong']),
  role: strings((fact) => [fact.role], ['content', 'descriptor']),
  layers: strings((fact) => fact.layers),
  decoded: flag((fact) => fact.layers.length > 0),
  key: strings((fact) => keyOf(fact.span)),
};

const NAME: Fields<NameFact> = { name: strings((fact) => [fact.name]) };

/** Fields by class. A fact of a class is only ever handed to the fields of that class. */
export const FACT_FIELDS: Readonly<Record<FactClass, Readonly<Record<string, Field<never>>>>> = {
  command: COMMAND,
  statement: STATEMENT,
  code: CODE,
  path: PATH,
  host: HOST,
  effect: EFFECT,
  secret: sensitive<SecretFact>(),
  pii: sensitive<PiiFact>(),
  prose: PROSE,
  tool: NAME,
  key: NAME,
  cut: NAME,
  encoding: NAME,
};

/** What any fact has in common: where it came from, and under which encodings. */
export interface AnyFact {
  readonly span?: Span | undefined;
  readonly layers?: readonly string[];
}

function names(list: readonly string[]): readonly NameFact[] {
  return list.map((name) => ({ name: lower(name), span: undefined }));
}

/** Where the facts of a class stand that has a list of its own. */
const LISTS = {
  command: 'commands',
  statement: 'statements',
  code: 'codes',
  path: 'paths',
  host: 'hosts',
  effect: 'effects',
  secret: 'secrets',
  pii: 'pii',
  prose: 'prose',
} as const satisfies Partial<Record<FactClass, keyof Facts>>;

const NONE: readonly AnyFact[] = [];

/** The facts of one class in document order; names of properties stand in the texts. */
export function factsOf(factClass: Exclude<FactClass, 'key'>, action: Action, facts: Facts): readonly AnyFact[] {
  if (factClass === 'tool') return action.tool === undefined ? [] : names([action.tool]);
  if (factClass === 'cut') return names(facts.cuts);
  if (factClass === 'encoding') return names(facts.encodings);
  return facts[LISTS[factClass]] ?? NONE;
}
