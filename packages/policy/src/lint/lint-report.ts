/** @module Findings of `policy lint`, as they are gathered: each with its place, and with a fix where there is one that cannot be wrong. */
import { invariant } from '@countersign/kernel';
import type { PolicyDocument, ResolvedPolicy } from '../content.ts';
import type { Position } from '../faults.ts';
import { LINT_CODES, type LintLevel } from './lint-codes.ts';

/** Text to be put in place of a part of the document: zero-based half-open offsets. */
export interface LintEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}
export interface LintFix {
  readonly description: string;
  readonly edits: readonly LintEdit[];
}

export interface LintFinding {
  readonly code: string;
  readonly level: LintLevel;
  /** What was found here; the code's own words say why it matters. */
  readonly message: string;
  /** As people write it; empty for the document as a whole. */
  readonly path: string;
  readonly position?: Position;
  readonly fix?: LintFix;
}

export interface LintInput {
  readonly document: PolicyDocument;
  readonly resolved: ResolvedPolicy;
  /** The document as written. */
  readonly text: string;
  /** Ids of rules that the policy names and nobody has. */
  readonly unknownRules: readonly string[];
}

/** The place of `path`, or of the nearest part above it that stands in the document. */
export function positionNear(positions: ReadonlyMap<string, Position>, path: string): Position | undefined {
  for (let at = path; at !== ''; at = at.slice(0, Math.max(0, at.search(/(?:\.[^.[\]]*|\[[^[\]]*\])$/)))) {
    const found = positions.get(at);
    if (found !== undefined) return found;
  }
  return undefined;
}

export class LintReport {
  readonly findings: LintFinding[] = [];
  readonly input: LintInput;

  constructor(input: LintInput) {
    this.input = input;
  }

  say(code: string, message: string, place: { readonly path: string; readonly fix?: LintFix | undefined }): void {
    const known = LINT_CODES.get(code);
    invariant(known !== undefined, 'a finding has a code of the table');
    const position = positionNear(this.input.document.positions, place.path);
    this.findings.push({
      code,
      level: known.level,
      message,
      path: place.path,
      ...(position !== undefined && { position }),
      ...(place.fix !== undefined && { fix: place.fix }),
    });
  }

  /** The document's text at an entry. */
  textAt(position: Position): string {
    return this.input.text.slice(position.start, position.end);
  }
}

/** `items` with `edits` put in: how a fix is applied. Edits do not overlap. */
export function applyEdits(text: string, edits: readonly LintEdit[]): string {
  let [out, from] = ['', 0];
  for (const { start, end, text: put } of edits.toSorted((a, b) => a.start - b.start)) {
    out += text.slice(from, start) + put;
    from = end;
  }
  return out + text.slice(from);
}
