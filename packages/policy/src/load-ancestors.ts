/**
 * @module From a document to its last ancestor, over ports: where the bytes come from is the caller's matter, what may be asked for and
 * whether it is what was pinned is decided here. Fail closed: the first thing that is not right ends it.
 */
import { sha256Hex } from '@countersign/crypto';
import { err, type Fault, ok, type Result } from '@countersign/kernel';
import type { PolicyDocument } from './content.ts';
import {
  type ExtendsReference,
  type FileReference,
  type GitReference,
  type HttpsReference,
  innerPath,
  readReference,
} from './extends-reference.ts';
import { faultAt, quoted, type FaultPlace, type PolicyFault } from './faults.ts';
import { POLICY_LIMITS } from './limits.ts';
import { parsePolicy } from './parse-policy.ts';

declare const TextDecoder: new (label: string, options: { fatal: boolean; ignoreBOM: boolean }) => { decode(bytes: Uint8Array): string };

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes of a file, and the one name that all its spellings have. */
export interface FoundFile {
  /** With links followed. */
  readonly realPath: string;
  readonly bytes: Uint8Array;
}

/** Where documents come from. Every answer is bounded by `POLICY_LIMITS.fetchBytesMax`; what is pinned is checked again here. */
export interface DocumentSources {
  /** `from`: real path of the file that names it; undefined for a document that is no file. */
  file(path: string, from: string | undefined): Promise<Result<FoundFile, Fault>>;
  https(reference: HttpsReference): Promise<Result<Uint8Array, Fault>>;
  git(reference: GitReference): Promise<Result<Uint8Array, Fault>>;
}

export interface AncestorOptions {
  /** A built-in ruleset by name; undefined where it is not at hand. */
  readonly ruleset: (name: string) => Promise<PolicyDocument | undefined>;
  readonly sources: DocumentSources;
  /** Real path of the document's own file; undefined where it has none. */
  readonly file?: string | undefined;
}

/** Where a document stands, which decides what its own `extends` means. */
type Place =
  | { readonly at: 'nowhere' }
  | { readonly at: 'ruleset' }
  | { readonly at: 'file'; readonly path: string }
  | { readonly at: 'https'; readonly reference: HttpsReference }
  | { readonly at: 'git'; readonly reference: GitReference };

interface Found {
  /** One for all spellings: how a cycle is seen. */
  readonly key: string;
  readonly place: Place;
  readonly document: PolicyDocument;
  /** Nothing for a built-in ruleset. */
  readonly byteCount: number;
}

type Fetched = { readonly key: string; readonly place: Place; readonly bytes: Uint8Array };

function keyOf(reference: HttpsReference | GitReference): string {
  if (reference.kind === 'git') return `git:${reference.repository}@${reference.commit}:${reference.path}#sha256=${reference.sha256}`;
  return `url:https://${reference.host}:${String(reference.port)}${reference.path}#sha256=${reference.sha256}`;
}

/** `b/c.yaml` beside `a/x.yaml` is `a/b/c.yaml`; it never climbs. */
function beside(base: string, path: string): string | undefined {
  const own = innerPath(path.replace(/^\.\//, ''));
  return own === undefined ? undefined : base.slice(0, base.lastIndexOf('/') + 1) + own;
}

/** A relative reference within a remote document is as remote as the document, and as pinned. */
function rebase(reference: FileReference, base: HttpsReference | GitReference): Result<ExtendsReference, Fault> {
  if (reference.sha256 === undefined)
    return err({
      code: 'policy_extends_pin',
      message: 'what a remote document extends must be pinned too',
      hint: 'end it with `#sha256=` and 64 hex digits',
    });
  const path = beside(base.kind === 'https' ? base.path.replace(/\?.*$/, '') : base.path, reference.path);
  if (path === undefined)
    return err({
      code: 'policy_extends',
      message: `a remote document cannot extend the path ${quoted(reference.path)}`,
      hint: 'name a file beside or below it',
    });
  return ok({ ...base, path, sha256: reference.sha256 });
}

function isLocal(place: Place): boolean {
  return place.at === 'nowhere' || place.at === 'file';
}

/** What the reference means where it stands, or why it must not be followed from there. */
function meaningAt(reference: ExtendsReference, place: Place): Result<ExtendsReference, Fault> {
  if (reference.kind === 'file' && (place.at === 'https' || place.at === 'git')) return rebase(reference, place.reference);
  if (reference.kind === 'git' && reference.host === undefined && !isLocal(place))
    return err({ code: 'policy_extends', message: 'a remote document cannot name a repository of this machine' });
  if (reference.kind !== 'ruleset' && place.at === 'ruleset')
    return err({ code: 'policy_extends', message: 'a built-in ruleset extends only built-in rulesets' });
  return ok(reference);
}

async function fetchBytes(
  reference: FileReference | HttpsReference | GitReference,
  place: Place,
  sources: DocumentSources,
): Promise<Result<Fetched, Fault>> {
  if (reference.kind === 'file') {
    const found = await sources.file(reference.path, place.at === 'file' ? place.path : undefined);
    if (!found.ok) return found;
    const { realPath, bytes } = found.value;
    return ok({ key: `file:${realPath}`, place: { at: 'file', path: realPath }, bytes });
  }
  const bytes = await (reference.kind === 'https' ? sources.https(reference) : sources.git(reference));
  if (!bytes.ok) return bytes;
  const where: Place = reference.kind === 'https' ? { at: 'https', reference } : { at: 'git', reference };
  return ok({ key: keyOf(reference), place: where, bytes: bytes.value });
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

function checked({ bytes }: Fetched, sha256: string | undefined): Result<string, Fault> {
  if (bytes.length > POLICY_LIMITS.fetchBytesMax)
    return err({ code: 'policy_too_large', message: `larger than ${String(POLICY_LIMITS.fetchBytesMax)} bytes` });
  const actual = sha256Hex(bytes);
  if (sha256 !== undefined && actual !== sha256)
    return err({
      code: 'policy_extends_pin',
      message: 'its bytes are not those that were pinned',
      hint: `they have the SHA-256 ${actual}`,
    });
  const text = textOf(bytes);
  return text === undefined ? err({ code: 'policy_yaml', message: 'it is not UTF-8 text' }) : ok(text);
}

function refusal(
  fault: Pick<Fault, 'code' | 'message'> & { readonly hint?: string | undefined },
  place: FaultPlace,
): readonly PolicyFault[] {
  // The codes of ports are theirs; a code of this room that they use keeps its meaning.
  return [{ ...faultAt('policy_extends', fault.message, { ...place, hint: fault.hint }), code: fault.code as PolicyFault['code'] }];
}

/** Follows one `extends`. */
async function follow(
  written: string,
  from: { readonly place: Place; readonly fault: FaultPlace; readonly byteCount: number },
  options: AncestorOptions,
): Promise<Result<Found, readonly PolicyFault[]>> {
  const read = readReference(written);
  const meant = read.ok ? meaningAt(read.value, from.place) : read;
  if (!meant.ok) return err(refusal(meant.error, from.fault));
  const reference = meant.value;
  if (reference.kind === 'ruleset') {
    const document = await options.ruleset(reference.name);
    if (document === undefined) return err([faultAt('policy_extends', `the ruleset ${quoted(written)} is not at hand`, from.fault)]);
    return ok({ key: `ruleset:${reference.name}`, place: { at: 'ruleset' }, document, byteCount: 0 });
  }
  const fetched = await fetchBytes(reference, from.place, options.sources);
  const text = fetched.ok ? checked(fetched.value, reference.sha256) : fetched;
  if (!fetched.ok || !text.ok) return err(refusal(text.ok ? { code: 'policy_extends', message: 'not there' } : text.error, from.fault));
  const { key, place, bytes } = fetched.value;
  // What is too large for a document by itself is refused as that, unread.
  const counts = bytes.length <= POLICY_LIMITS.documentBytesMax;
  if (counts && from.byteCount + bytes.length > POLICY_LIMITS.extendsBytesMax)
    return err([
      faultAt(
        'policy_too_large',
        `documents that extend each other have at most ${String(POLICY_LIMITS.extendsBytesMax)} bytes`,
        from.fault,
      ),
    ]);
  const document = parsePolicy(text.value, written);
  return document.ok ? ok({ key, place, document: document.value, byteCount: bytes.length }) : document;
}

/**
 * All that a document extends, from its parent to the last ancestor, each read and valid by itself.
 * @returns The ancestors, for `ResolveOptions.ancestors`; or why there is no whole chain.
 */
export async function loadAncestors(
  document: PolicyDocument,
  options: AncestorOptions,
): Promise<Result<readonly PolicyDocument[], readonly PolicyFault[]>> {
  const chain: PolicyDocument[] = [];
  const seen = new Set(options.file === undefined ? [] : [`file:${options.file}`]);
  let current = document;
  let byteCount = 0;
  let place: Place = options.file === undefined ? { at: 'nowhere' } : { at: 'file', path: options.file };
  while (current.content.extends !== undefined) {
    const written = current.content.extends;
    const fault: FaultPlace = { path: 'extends', source: current.source, position: current.positions.get('extends') };
    if (chain.length + 1 >= POLICY_LIMITS.extendsDepthMax)
      return err([
        faultAt('policy_extends_depth', `more than ${String(POLICY_LIMITS.extendsDepthMax)} documents extend each other`, fault),
      ]);
    const found = await follow(written, { place, fault, byteCount }, options);
    if (!found.ok) return found;
    if (seen.has(found.value.key)) return err([faultAt('policy_extends_cycle', `${quoted(written)} extends itself`, fault)]);
    seen.add(found.value.key);
    chain.push(found.value.document);
    byteCount += found.value.byteCount;
    ({ document: current, place } = found.value);
  }
  return ok(chain);
}
