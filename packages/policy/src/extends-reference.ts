/**
 * @module What `extends` may name: a built-in ruleset, a file, an address or a commit, the last two pinned to their bytes. Everything
 * here is text; nothing is read.
 */
import { err, ok, type Result } from '@countersign/kernel';
import { BUILTIN_RULESETS } from './builtin-rulesets.ts';
import { quoted, suggest, type PolicyFaultCode } from './faults.ts';

export interface RulesetReference {
  readonly kind: 'ruleset';
  readonly name: string;
}
export interface FileReference {
  readonly kind: 'file';
  /** As written: relative to the document that holds it, or absolute. */
  readonly path: string;
  /** Lower-case hex SHA-256 of the bytes, where it is pinned. */
  readonly sha256?: string;
}
export interface HttpsReference {
  readonly kind: 'https';
  /** Lower case, without a port. */
  readonly host: string;
  readonly port: number;
  /** Begins with `/`; with its query. */
  readonly path: string;
  readonly sha256: string;
}
export interface GitReference {
  readonly kind: 'git';
  /** `https://host/path` or `file:///path`. */
  readonly repository: string;
  /** Host of an https repository; undefined for one on this machine. */
  readonly host?: string;
  readonly port?: number;
  /** A whole commit id: 40 or 64 lower-case hex digits, so it can be neither an option nor move. */
  readonly commit: string;
  /** Within the repository, without `.` and `..`. */
  readonly path: string;
  readonly sha256: string;
}
export type ExtendsReference = RulesetReference | FileReference | HttpsReference | GitReference;

export interface ReferenceProblem {
  readonly code: PolicyFaultCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

const PIN = /#sha256=([0-9a-f]{64})$/;
const URL_FORM = /^https:\/\/([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::([0-9]{1,5}))?(\/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)$/;
const GIT_FORM = /^git\+(https:\/\/[^@]+|file:\/\/\/[^@]+)@([^:@]+):([^:]+)$/;
const GIT_FILE = /^file:\/\/(\/[A-Za-z0-9._~+@%/-]+)$/;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const INNER_PATH = /^[A-Za-z0-9._][A-Za-z0-9._+ /-]*$/;
const PIN_HINT = 'end it with `#sha256=` and the 64 lower-case hex digits of its bytes';

function fault(code: PolicyFaultCode, message: string, hint?: string): Result<never, ReferenceProblem> {
  return err({ code, message, hint });
}

function pinned(text: string): { readonly rest: string; readonly sha256: string } | undefined {
  const pin = PIN.exec(text);
  return pin?.[1] === undefined ? undefined : { rest: text.slice(0, pin.index), sha256: pin[1] };
}

/** Host, port and path of an `https` address; undefined for anything with a user, a fragment, an upper-case host or an odd character. */
function addressOf(text: string): Pick<HttpsReference, 'host' | 'port' | 'path'> | undefined {
  const [, host, port = '443', path = '/'] = URL_FORM.exec(text) ?? [];
  const number = Number(port);
  if (host === undefined || host.includes('..') || number < 1 || number > 65_535) return undefined;
  return { host, port: number, path };
}

/** `a/b.yaml`; undefined where it is absolute, climbs out or could be read as an option. */
export function innerPath(text: string): string | undefined {
  const parts = text.split('/');
  return INNER_PATH.test(text) && parts.every((part) => part !== '' && part !== '.' && part !== '..') ? text : undefined;
}

function readHttps(text: string): Result<HttpsReference, ReferenceProblem> {
  const pin = pinned(text);
  if (pin === undefined) return fault('policy_extends_pin', `the address ${quoted(text)} is not pinned`, PIN_HINT);
  const address = addressOf(pin.rest);
  if (address === undefined)
    return fault('policy_extends', `${quoted(text)} is not a plain https address`, 'host in lower case, no user, no fragment');
  return ok({ kind: 'https', ...address, sha256: pin.sha256 });
}

function readGit(text: string): Result<GitReference, ReferenceProblem> {
  const pin = pinned(text);
  if (pin === undefined) return fault('policy_extends_pin', `the commit ${quoted(text)} is not pinned`, PIN_HINT);
  const [, repository, commit, path] = GIT_FORM.exec(pin.rest) ?? [];
  const form = 'write git+https://HOST/REPOSITORY@COMMIT:PATH#sha256=HEX';
  if (repository === undefined || commit === undefined || path === undefined)
    return fault('policy_extends', `${quoted(text)} is not a commit of a repository`, form);
  if (!COMMIT.test(commit))
    return fault('policy_extends', `${quoted(commit)} is not a whole commit id`, 'write all 40 hex digits, in lower case');
  if (innerPath(path) === undefined) return fault('policy_extends', `${quoted(path)} is not a path within a repository`, form);
  const place = placeOf(repository);
  if (place === undefined) return fault('policy_extends', `${quoted(repository)} is not a plain place of a repository`, form);
  return ok({ kind: 'git', repository, ...place, commit, path, sha256: pin.sha256 });
}

/** Host and port of a repository, neither for one of this machine; undefined where it is no plain place. */
function placeOf(repository: string): Pick<GitReference, 'host' | 'port'> | undefined {
  if (repository.startsWith('file://')) return GIT_FILE.test(repository) && !/(?:^|\/)\.\.?(?:\/|$)/.test(repository) ? {} : undefined;
  const address = addressOf(repository);
  return address === undefined || address.path.includes('?') ? undefined : { host: address.host, port: address.port };
}

function readFile(text: string): Result<FileReference, ReferenceProblem> {
  const pin = pinned(text);
  const path = pin?.rest ?? text;
  if (path.includes('#')) return fault('policy_extends_pin', `${quoted(text)} has no pin behind its \`#\``, PIN_HINT);
  return ok({ kind: 'file', path, ...(pin !== undefined && { sha256: pin.sha256 }) });
}

/** The ruleset that a reference names, or undefined. */
export function rulesetOf(reference: string): string | undefined {
  const name = reference.replace(/^(?:clawdstrike|hushspec):/, '');
  return BUILTIN_RULESETS.includes(name) ? name : undefined;
}

/** Reads what `extends` says, without looking whether it is there. */
export function readReference(text: string): Result<ExtendsReference, ReferenceProblem> {
  const name = rulesetOf(text);
  if (name !== undefined) return ok({ kind: 'ruleset', name });
  if (text.startsWith('https://')) return readHttps(text);
  if (text.startsWith('git+')) return readGit(text);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) return fault('policy_extends', `${quoted(text)} is not fetched: only https is`, PIN_HINT);
  const isDrive = /^[A-Za-z]:[\\/]/.test(text);
  if (text.startsWith('@') || (/^[a-z][a-z0-9+.-]*:/i.test(text) && !isDrive && !/^(?:clawdstrike|hushspec):/.test(text)))
    return fault('policy_unsupported_field', 'extending packages is not supported', 'pin the file of the package by address or commit');
  if (/[/\\]|\.ya?ml(?:#|$)/.test(text)) return readFile(text);
  const meant = suggest(text, BUILTIN_RULESETS);
  const hint = meant === undefined ? `use one of ${BUILTIN_RULESETS.join(', ')}` : `did you mean ${quoted(meant)}?`;
  return fault('policy_extends', `there is no ruleset ${quoted(text)}`, hint);
}
