/**
 * @module Turns expression trees into one small machine (Thompson 1968): instructions without back-tracking, shared by the
 * matcher and by the ambiguity check.
 */
import { err, ok, type Result } from '@countersign/kernel';
import { POLICY_LIMITS } from '../limits.ts';
import type { CharSet } from './char-set.ts';
import type { Assertion, RegexNode } from './parse.ts';

export type Instruction =
  | { readonly op: 'char'; readonly set: CharSet; next: number }
  | { readonly op: 'assert'; readonly what: Assertion; next: number }
  | { readonly op: 'split'; a: number; b: number }
  | { readonly op: 'match'; readonly id: number };

export interface Program {
  readonly code: readonly Instruction[];
  readonly start: number;
  /** Matches from right to left. */
  readonly reverse: boolean;
  /** Must begin where the search begins. */
  readonly anchored: boolean;
}

interface Builder {
  readonly code: Instruction[];
  readonly reverse: boolean;
  /** Instructions this pattern may still add. */
  budget: number;
}

function emit(builder: Builder, instruction: Instruction): number {
  builder.budget -= 1;
  builder.code.push(instruction);
  return builder.code.length - 1;
}

/** Emits `node` so that it continues at `next`; returns its entry. Built back to front, so entries are known. */
function build(builder: Builder, node: RegexNode, next: number): number {
  if (builder.budget <= 0) return next;
  if (node.is === 'set') return emit(builder, { op: 'char', set: node.set, next });
  if (node.is === 'assert') return emit(builder, { op: 'assert', what: node.what, next });
  if (node.is === 'sequence') return buildSequence(builder, node.items, next);
  return node.is === 'choice' ? buildChoice(builder, node.items, next) : buildRepeat(builder, node, next);
}

function buildSequence(builder: Builder, items: readonly RegexNode[], next: number): number {
  let entry = next;
  const ordered = builder.reverse ? items : items.toReversed();
  for (const item of ordered) entry = build(builder, item, entry);
  return entry;
}

function buildChoice(builder: Builder, items: readonly RegexNode[], next: number): number {
  const entries = items.map((item) => build(builder, item, next));
  let entry = entries.pop() ?? next;
  for (const other of entries.toReversed()) entry = emit(builder, { op: 'split', a: other, b: entry });
  return entry;
}

function buildRepeat(builder: Builder, node: RegexNode & { is: 'repeat' }, next: number): number {
  let entry = next;
  if (node.max === -1) {
    const split: Instruction = { op: 'split', a: next, b: next };
    const at = emit(builder, split);
    split.a = build(builder, node.item, at);
    entry = at;
  } else {
    for (let i = node.min; i < node.max && builder.budget > 0; i += 1) {
      const body = build(builder, node.item, entry);
      entry = emit(builder, { op: 'split', a: body, b: next });
    }
  }
  for (let i = 0; i < node.min && builder.budget > 0; i += 1) entry = build(builder, node.item, entry);
  return entry;
}

export interface ProgramOptions {
  readonly reverse?: boolean;
  readonly anchored?: boolean;
}

/** One machine for all trees; match ids are their indexes. The error is the index of the tree that is too large. */
export function buildProgram(trees: readonly RegexNode[], options: ProgramOptions = {}): Result<Program, number> {
  const builder: Builder = { code: [], reverse: options.reverse === true, budget: 0 };
  const entries: number[] = [];
  for (const [id, tree] of trees.entries()) {
    builder.budget = POLICY_LIMITS.regexInstructionsMax;
    const match = emit(builder, { op: 'match', id });
    entries.push(build(builder, tree, match));
    if (builder.budget <= 0 || builder.code.length > POLICY_LIMITS.regexSetInstructionsMax) return err(id);
  }
  let start = entries.pop() ?? 0;
  builder.budget = entries.length + 1;
  for (const entry of entries.toReversed()) start = emit(builder, { op: 'split', a: entry, b: start });
  return ok({ code: builder.code, start, reverse: builder.reverse, anchored: options.anchored === true });
}
