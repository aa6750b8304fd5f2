/**
 * @module Facts: what an action means. Recomputed from the action by every replay, never stored, never trusted as input.
 *
 * Every fact carries the span it came from. Offsets are UTF-16 code units into the ORIGINAL string leaf at `path`, half open.
 */

import type { GuardAnswer } from './guard-answer.ts';
import type { Severity } from './severity.ts';

/** A region of one string leaf of the action. */
export interface Span {
  /** JSON pointer into the action, e.g. `/params/sql`, `/content`, `/context`. `/params` for the joined view. */
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** What role a leaf plays; rules and guards choose by it. */
export type TextRole =
  | 'param' // a string in params
  | 'key' // a property name in params
  | 'content' // prompt, output, response or file body
  | 'context' // prompt that led to the call
  | 'descriptor' // a tool's own description
  | 'joined'; // all params leaves joined by one space, in canonical order of keys: catches split payloads

/** One text to scan: a leaf as it came, or a layer decoded out of one. */
export interface TextFact {
  readonly span: Span;
  readonly role: TextRole;
  /** Decoders applied, outermost first (`url`, `html`, `hex`, `octal`, `unicode-escape`, `base64`, `nfkc`, `zero-width`, `bidi`, `tags`, `homoglyph`, `marks`,
   * `rot13`, `caesar`, `atbash`, `reversed`, `spaced`, `leet`, `octets`, `morse`); empty for the leaf itself. */
  readonly layers: readonly string[];
  /** The text after decoding, as it is. */
  readonly text: string;
  /** `text` lower-cased once; all matching happens on this. Same length as `text` (code units that change length are left alone). */
  readonly lower: string;
}

/** How a simple command is reached. */
export type CommandVia = 'top' | 'substitution' | 'process-substitution' | 'inline' | 'eval' | 'heredoc' | 'function' | 'interpreter';

export interface Redirect {
  /** `>`, `>>`, `<`, `<<<`, `>&`, `&>`, ... */
  readonly operator: string;
  readonly target: string;
}

/** What a tool of developers or operators (git, kubectl, terraform, a cloud's, a package manager's, a database's client) is asked to do. */
export interface ToolCall {
  /** The tool by one name: `docker` for podman too. */
  readonly tool: string;
  /** Tool and verb, aliases resolved: `git push`, `aws s3 rm`, `gcloud compute instances delete`, `http delete` for `curl -X DELETE`. */
  readonly verb: string;
  /** Kinds of things in a cluster, in one spelling (`namespace` for `ns/web`); names of packages that are installed. */
  readonly resources: readonly string[];
  /** Options by their long names (`--force` for `-f`), with their value behind `=`; a switch that is set to false is left out. */
  readonly flags: readonly string[];
  /** Words behind the verb that are no options. */
  readonly operands: readonly string[];
  /** Well-known packages that one of those named is one slip away from. */
  readonly resembles: readonly string[];
  /** Statements that a client of a database is given. */
  readonly body?: string;
}

/** One simple command after wrappers, quotes, static variables and `-c`/`eval` bodies are folded away. */
export interface CommandFact {
  readonly span: Span;
  /** Lower-case basename of what runs (`rm` for `/bin/RM`, `sudo env rm`, `\rm`, `r''m`); `` when dynamic. */
  readonly name: string;
  /** Words after the name, folded; a word that cannot be folded keeps its source text and sets `dynamic`. */
  readonly args: readonly string[];
  /** Words in order as one line: name and args joined by one space; what command rules match on. */
  readonly line: string;
  /** Wrappers stripped, outermost first (`sudo`, `env`, `timeout`, `xargs`, `find -exec`, `sh -c`, ...). */
  readonly wrappers: readonly string[];
  readonly redirects: readonly Redirect[];
  /** Index in `commands` of the command whose output this one reads through a pipe, or -1. */
  readonly pipedFrom: number;
  readonly via: CommandVia;
  /** True when name or an argument depends on something not known statically. */
  readonly dynamic: boolean;
  /** The name as it is written, folded, when it is a path (`/usr/bin/history` is a file, `history` may be a builtin); else ``. */
  readonly program: string;
  /** Runs in a process of its own (`( )`, `&`, a pipe, a substitution, `sh -c`), so that what it does to its shell is lost. */
  readonly subshell: boolean;
  /** Absent where the tool is not known. */
  readonly call?: ToolCall;
}

export type EffectKind = 'reads' | 'writes' | 'deletes' | 'executes' | 'connects' | 'escalates' | 'persists' | 'hides';

/** What an action brings about, and to what. */
export interface EffectFact {
  readonly span: Span;
  readonly kind: EffectKind;
  /** A normalized path, a host, or the word of the command that names the thing. */
  readonly target: string;
  /** What the target is (`cron`, `credentials`, `log`, ...; `spec/rules.md`), or `` when it is nothing of note. */
  readonly place: string;
  /** Index in `commands`, or -1 when the action itself does it. */
  readonly command: number;
}

export type StatementKind =
  | 'select'
  | 'insert'
  | 'update'
  | 'delete'
  | 'merge'
  | 'drop'
  | 'truncate'
  | 'alter'
  | 'create'
  | 'grant'
  | 'copy'
  | 'call'
  | 'set'
  | 'transaction'
  | 'explain'
  | 'other'
  | 'unknown';

/** One SQL statement, or a fragment of one in a parameter. */
export interface StatementFact {
  readonly span: Span;
  readonly kind: StatementKind;
  /** Lower-case, without quotes, schema-qualified where written so. */
  readonly tables: readonly string[];
  /** Object class for drop/alter/create/truncate: `table`, `database`, `schema`, `view`, `role`, ... */
  readonly object?: string;
  readonly hasWhere: boolean;
  /** WHERE (or HAVING/ON) that is always true: `1=1`, `'a'='a'`, `true`, `x=x`. */
  readonly tautology: boolean;
  readonly hasLimit: boolean;
  /** `select *` at the top level. */
  readonly star: boolean;
  /** `union`, `stacked`, `comment`, `sleep`, `file`, `os`, `into-outfile`, `subquery`, `into-dumpfile`, `load-file`, `copy-program`, `xp-cmdshell`, `asks` (the server about itself), `catalog`, `error`, `or-constant`, `export`, `restores`, `log-loss`, `server-setup`, `stops`. */
  readonly features: readonly string[];
  /** How it was read: `parser` (grammar) or `tokens` (tokenizer, for fragments and other dialects). */
  readonly by: 'parser' | 'tokens';
  /** True for a fragment that is not a statement of its own (an injection in a parameter). */
  readonly fragment: boolean;
}

/** Text of another language where a value stands, with what it would do there. */
export interface CodeFact {
  readonly span: Span;
  readonly language: 'html' | 'script' | 'graphql';
  /** html: `script`, `handler`, `script-url`, `data-url`, `srcdoc`, `loads`, `refresh`, ...; script: `variable-call`, `page`, `endless`, ...; graphql: `mutation`, `introspection`, ... Sorted. */
  readonly features: readonly string[];
  readonly layers: readonly string[];
}

export type PathAccess = 'read' | 'write' | 'delete' | 'execute' | 'mention';

export interface PathFact {
  readonly span: Span;
  /** As written (after decoding). */
  readonly raw: string;
  /** `/`-separated, `.` and `..` resolved lexically, `~` and `$HOME` as `~/...`, `/proc/self/root` and repeated slashes removed; case kept. */
  readonly normalized: string;
  /** Where a resolver (a recorded signal) said the path really leads, normalized. */
  readonly resolved?: string;
  readonly access: PathAccess;
  /** `..` climbs above where the path starts, or an encoded or doubled form of it does. */
  readonly traversal: boolean;
  readonly layers: readonly string[];
  /** Index in `commands` of the command that names it, or -1. */
  readonly command: number;
}

/** IANA special-purpose classes that matter here. */
export type AddressClass =
  | 'public'
  | 'loopback'
  | 'private'
  | 'link-local'
  | 'metadata'
  | 'unique-local'
  | 'carrier-nat'
  | 'unspecified'
  | 'multicast'
  | 'broadcast'
  | 'reserved';

export interface HostFact {
  readonly span: Span;
  readonly raw: string;
  /** Lower-case ASCII (punycode), without trailing dot; canonical address text for an address in any spelling. */
  readonly host: string;
  /** Set when the host is an address: class of it, IPv4-mapped and NAT64 forms unwrapped. Metadata host names are `metadata`, `localhost` names are `loopback`. */
  readonly address?: AddressClass;
  readonly port?: number;
  /** Lower-case without colon. */
  readonly scheme?: string;
  /** WHATWG-serialised URL without userinfo, where it was part of one. */
  readonly url?: string;
  /** `userinfo`, `numeric` (address in a spelling other than its canonical one), `punycode`, `homoglyph`, `trailing-dot`, `mapped`, `wildcard-dns` (nip.io and kin), `credentials`. */
  readonly oddities: readonly string[];
  /** `connect` when the action would go there, `mention` when it is only named. */
  readonly access: 'connect' | 'mention';
  /** Index in `commands` of the command that names it, or -1. */
  readonly command: number;
}

export interface SecretFact {
  readonly span: Span;
  /** `aws_access_key`, `github_token`, `private_key`, `jwt`, `connection_string`, `generic_api_key`, ... */
  readonly type: string;
  readonly layers: readonly string[];
  /** Checked by prefix and length, checksum or structure (`high`), or only by its name and entropy (`low`). */
  readonly confidence: 'high' | 'low';
}

export interface PiiFact {
  readonly span: Span;
  /** The 21 types of the Clampd door (`ssn`, `credit_card`, `email`, ...). */
  readonly type: string;
  readonly layers: readonly string[];
  readonly confidence: 'high' | 'low';
}

/** Prose that the classifier takes for an attempt to take over its reader. A signal: no built-in rule decides by it alone. */
export interface ProseFact {
  /** The words that weigh most. */
  readonly span: Span;
  readonly role: TextRole;
  readonly layers: readonly string[];
  /** By its rate of false alarms on harmless prose (`text-classifier.training.json`). */
  readonly strength: 'likely' | 'strong';
  /** Thousandths, in steps of fifty. */
  readonly score: number;
}

/** Names of the bounds that cut something off while understanding; each is a reason for caution, never for silence. */
export type FactsCut =
  | 'texts'
  | 'bytes'
  | 'depth'
  | 'decode-depth'
  | 'decode-bytes'
  | 'shell-unknown' // shell text beyond what is parsed: judged as unknown, stepped up
  | 'commands'
  | 'sql-unknown'
  | 'codes'
  | 'paths'
  | 'hosts'
  | 'secrets'
  | 'pii';

/** What a source outside said of an action: it can only make a verdict worse. */
export interface Opinion {
  /** Kind of the signal it came as: `llm`, `threat-intel`. */
  readonly kind: string;
  readonly source: string;
  readonly severity: Severity;
  /** Thousandths, 0..1000. */
  readonly score: number;
  /** A code, such as `known_bad_host`. */
  readonly reason: string;
}

export interface Facts {
  readonly texts: readonly TextFact[];
  readonly commands: readonly CommandFact[];
  readonly statements: readonly StatementFact[];
  readonly codes: readonly CodeFact[];
  readonly paths: readonly PathFact[];
  readonly hosts: readonly HostFact[];
  readonly effects: readonly EffectFact[];
  readonly secrets: readonly SecretFact[];
  readonly pii: readonly PiiFact[];
  /** Absent where the classifier found none. */
  readonly prose?: readonly ProseFact[];
  /** Distinct, sorted. */
  readonly cuts: readonly FactsCut[];
  /** Distinct decoder names that changed something anywhere, sorted. */
  readonly encodings: readonly string[];
  /** Characters, nodes and callbacks counted while understanding; how linearity is proven. */
  readonly steps: number;
  /** Absent where nobody outside was asked. */
  readonly opinions?: readonly Opinion[];
  /** Code of what was wrong with an opinion; absent where all could be read. */
  readonly opinionFault?: string;
  /** What guards were told from outside; absent where nobody was asked. */
  readonly answers?: readonly GuardAnswer[];
}
