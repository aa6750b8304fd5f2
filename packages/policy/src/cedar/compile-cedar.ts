/**
 * @module The section `cedar` made ready to judge: every policy parsed, held against the schema and put into an index. One bad policy
 * and nothing loads.
 */
import { err, isJsonObject, type JsonObject, ok, type Result } from '@countersign/kernel';
import { faultAt, type PolicyFault } from '../faults.ts';
import { POLICY_LIMITS } from '../limits.ts';
import type { CedarConfig, CedarEntry } from './cedar-section.ts';
import { cedarSchema } from './cedar-schema.ts';
import type { Cedar, CedarError, CedarInstance } from './cedar-wasm.ts';
import { indexed, type IndexedPolicy, PolicyIndex } from './policy-index.ts';
import { type CedarPiece, splitPolicies } from './split-policies.ts';

/** A policy's entry, as far as a verdict speaks of it. */
export type CedarSource = Pick<CedarEntry, 'cedar_reason' | 'cedar_scope'>;

export interface CompiledCedar {
  readonly default: 'deny' | 'allow';
  /** Permits, and what denies. */
  readonly decisions: PolicyIndex;
  /** What takes a scope away. */
  readonly removals: PolicyIndex;
  readonly sources: ReadonlyMap<string, CedarSource>;
  /** The instance that is asked; another one after a trap. */
  instance(): CedarInstance;
  reset(): void;
}

interface Text {
  readonly path: string;
  readonly whole: string;
  readonly entry: CedarEntry | undefined;
}

interface Piece extends CedarPiece {
  readonly id: string;
  readonly from: Text;
}

/** Line and column, both from 1, of a place in a text. */
function placeIn(text: string, at: number): string {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  return `line ${String(line)}, column ${String(at - before.lastIndexOf('\n'))} of it`;
}

/** The offset in UTF-16 code units of a place that Cedar counts in UTF-8 bytes. */
function unitsAt(text: string, bytes: number): number {
  let seen = 0;
  let units = 0;
  for (const char of text) {
    if (seen >= bytes) return units;
    const point = char.codePointAt(0) ?? 0;
    seen += point < 0x80 ? 1 : point < 0x8_00 ? 2 : point < 0x1_00_00 ? 3 : 4;
    units += char.length;
  }
  return units;
}

class Reader {
  readonly faults: PolicyFault[] = [];
  readonly #cedar: CedarInstance;

  constructor(cedar: CedarInstance) {
    this.#cedar = cedar;
  }

  fault(path: string, message: string, hint?: string): void {
    if (this.faults.length < POLICY_LIMITS.faultsMax) this.faults.push(faultAt('policy_cedar', message, { path, hint }));
  }

  complain(piece: Piece, error: CedarError): void {
    const [place] = error.sourceLocations ?? [];
    const at = piece.start + (place === undefined ? 0 : unitsAt(piece.text, place.start));
    const expected = place?.label === undefined || place.label === null ? '' : ` (${place.label})`;
    this.fault(piece.from.path, `${error.message}${expected}, at ${placeIn(piece.from.whole, at)}`, error.help ?? undefined);
  }

  pieces(text: Text): readonly Piece[] {
    const split = splitPolicies(text.whole);
    if (!split.ok) {
      this.fault(text.path, `${split.error.message}, at ${placeIn(text.whole, split.error.at)}`);
      return [];
    }
    if (split.value.length === 0 && text.entry !== undefined) this.fault(text.path, 'holds no policy');
    const base = text.entry?.id ?? 'text';
    const single = split.value.length === 1 && text.entry !== undefined;
    return split.value.map(({ text: own, start }, i) => ({ text: own, start, from: text, id: single ? base : `${base}[${String(i)}]` }));
  }

  parse(piece: Piece): JsonObject | undefined {
    const answer = this.#cedar.parse(piece.text);
    if (answer.type === 'success') return isJsonObject(answer.json) ? answer.json : undefined;
    for (const error of answer.errors) this.complain(piece, error);
    return undefined;
  }

  validate(pieces: readonly Piece[], schema: { readonly text: string; readonly own: boolean }): void {
    const byId = new Map(pieces.map((piece) => [piece.id, piece]));
    const answer = this.#cedar.validate(schema.text, Object.fromEntries(pieces.map(({ id, text }) => [id, text])));
    if (answer.type === 'failure') {
      for (const { message, help, sourceLocations } of answer.errors) {
        const [place] = sourceLocations ?? [];
        const where = place === undefined ? '' : `, at ${placeIn(schema.text, unitsAt(schema.text, place.start))}`;
        this.fault(schema.own ? 'cedar.schema' : 'cedar', `${message}${where}`, help ?? undefined);
      }
      return;
    }
    // A policy that can never hold is one whose author meant something else.
    for (const { policyId, error } of [...answer.validationErrors, ...answer.validationWarnings]) {
      const piece = byId.get(policyId);
      if (piece !== undefined) this.complain(piece, error);
    }
  }
}

/** Ids of all actions that a parsed policy names. */
function mentionedActions(parsed: unknown, into: Set<string>): void {
  if (Array.isArray(parsed)) for (const item of parsed) mentionedActions(item, into);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return;
  const { type, id } = parsed as { readonly type?: unknown; readonly id?: unknown };
  if (type === 'Action' && typeof id === 'string') into.add(id);
  for (const value of Object.values(parsed)) mentionedActions(value, into);
}

function textsOf(config: CedarConfig): readonly Text[] {
  const own: Text = { path: 'cedar.text', whole: config.text, entry: undefined };
  return [own, ...config.policies.map((entry, i) => ({ path: `cedar.policies[${String(i)}].compiled`, whole: entry.compiled, entry }))];
}

function checkEntries(reader: Reader, config: CedarConfig): void {
  for (const [i, entry] of config.policies.entries()) {
    const removes = entry.cedar_action === 'remove_scope';
    const path = `cedar.policies[${String(i)}]`;
    if (removes !== (entry.cedar_scope !== undefined))
      reader.fault(path, '`cedar_scope` and `cedar_action: remove_scope` belong together', 'name the scope that is taken away');
  }
}

interface ReadPolicies {
  readonly decisions: IndexedPolicy[];
  readonly removals: IndexedPolicy[];
  readonly pieces: readonly Piece[];
}

function readPolicies(reader: Reader, config: CedarConfig): ReadPolicies {
  const pieces = textsOf(config).flatMap((text) => reader.pieces(text));
  const [decisions, removals]: [IndexedPolicy[], IndexedPolicy[]] = [[], []];
  const mentioned = new Set<string>();
  if (pieces.length > POLICY_LIMITS.cedarPoliciesMax) reader.fault('cedar', `more than ${String(POLICY_LIMITS.cedarPoliciesMax)} policies`);
  if (reader.faults.length > 0) return { decisions, removals, pieces };
  for (const piece of pieces) {
    const parsed = reader.parse(piece);
    if (parsed === undefined) continue;
    mentionedActions(parsed, mentioned);
    const removes = piece.from.entry?.cedar_action === 'remove_scope';
    if (removes && parsed['effect'] !== 'forbid') reader.fault(piece.from.path, 'only a `forbid` takes a scope away');
    (removes ? removals : decisions).push(indexed(piece.id, piece.text, parsed));
  }
  const { schema } = config;
  const text = schema ?? cedarSchema(config.scopes, [...mentioned]);
  if (reader.faults.length === 0) reader.validate(pieces, { text, own: schema !== undefined });
  return { decisions, removals, pieces };
}

function compiledFrom(config: CedarConfig, read: ReadPolicies, cedar: Cedar): CompiledCedar {
  let current: CedarInstance | undefined;
  const decisions = new PolicyIndex('decisions', read.decisions);
  const removals = new PolicyIndex('removals', read.removals);
  return {
    default: config.default,
    decisions,
    removals,
    sources: new Map(read.pieces.map(({ id, from: { entry } }) => [id, entry ?? {}])),
    instance: () => (current ??= cedar.open()),
    reset() {
      current = undefined;
      decisions.forget();
      removals.forget();
    },
  };
}

/** Compiles the section, or says all that is wrong with it. Cedar is started here, and nowhere before. */
export function compileCedar(config: CedarConfig, cedar: Cedar | undefined): Result<CompiledCedar, readonly PolicyFault[]> {
  const fault = (message: string, hint: string): Result<CompiledCedar, readonly PolicyFault[]> =>
    err([faultAt('policy_cedar', message, { path: 'cedar', hint })]);
  if (cedar === undefined) return fault('there is no Cedar here to read this section', 'load the policy into an engine');
  try {
    const reader = new Reader(cedar.open());
    checkEntries(reader, config);
    const read = readPolicies(reader, config);
    return reader.faults.length > 0 ? err(reader.faults) : ok(compiledFrom(config, read, cedar));
  } catch {
    // A text on which Cedar itself fails is no policy.
    return fault('Cedar failed on these policies', 'write the deepest of them more simply');
  }
}
