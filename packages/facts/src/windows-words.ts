/**
 * @module Words of Windows command lines, at the level of commands and arguments: what `cmd` and PowerShell have in common. The reader of
 * each dialect fills a builder; finished calls come out innermost first, as substitutions do in `shell-fold.ts`.
 */
import type { Redirect } from '@countersign/protocol';
import { SHELL_LIMITS } from './shell-limits.ts';
import type { Field } from './shell-state.ts';

export type WindowsDialect = 'powershell' | 'cmd';

/** One command as it was read. */
export interface WindowsCall {
  readonly fields: readonly Field[];
  readonly redirects: readonly Redirect[];
  readonly start: number;
  readonly end: number;
  /** Index of the call that feeds it, through a pipe or as its argument in brackets; or -1. */
  readonly fedBy: number;
}

/** A call being read. */
export interface OpenCall {
  fields: Field[];
  redirects: Redirect[];
  start: number;
  fedBy: number;
  /** The next word is the target of this redirect. */
  redirect: string;
  /** The word being read; undefined between words. */
  word: { text: string; dynamic: boolean; quoted: boolean } | undefined;
  /** `$name =` came before. */
  assignTo: string | undefined;
}

export interface WindowsBuilder {
  readonly calls: WindowsCall[];
  readonly variables: Map<string, string>;
  open: OpenCall;
  steps: number;
  cut: boolean;
}

export function openCall(start: number, fedBy = -1): OpenCall {
  return { fields: [], redirects: [], start, fedBy, redirect: '', word: undefined, assignTo: undefined };
}

export function createBuilder(): WindowsBuilder {
  return { calls: [], variables: new Map(), open: openCall(0), steps: 0, cut: false };
}

/** Appends to the word being read, or begins one. */
export function put(builder: WindowsBuilder, text: string, how: { readonly dynamic?: boolean; readonly quoted?: boolean } = {}): void {
  const word = (builder.open.word ??= { text: '', dynamic: false, quoted: false });
  if (word.text.length + text.length > SHELL_LIMITS.wordCharsMax) builder.cut = true;
  else word.text += text;
  word.dynamic ||= how.dynamic === true;
  word.quoted ||= how.quoted === true;
  builder.steps += text.length + 1;
}

export function endWord(builder: WindowsBuilder): void {
  const { open } = builder;
  const { word } = open;
  if (word === undefined) return;
  open.word = undefined;
  if (open.redirect !== '') {
    open.redirects.push({ operator: open.redirect, target: word.text });
    open.redirect = '';
    return;
  }
  open.fields.push({ text: word.text, dynamic: word.dynamic, unknownEnd: 0 });
}

/** Ends the call and opens the next; its index, or -1 when there was none. */
export function endCall(builder: WindowsBuilder, at: number, feeds: boolean): number {
  endWord(builder);
  const { open, calls } = builder;
  const [first] = open.fields;
  let index = -1;
  if (first !== undefined && calls.length < SHELL_LIMITS.commandsMax) {
    calls.push({ fields: open.fields, redirects: open.redirects, start: open.start, end: at, fedBy: open.fedBy });
    index = calls.length - 1;
  } else if (first !== undefined) builder.cut = true;
  builder.open = openCall(at + 1, feeds ? (index === -1 ? open.fedBy : index) : -1);
  return index;
}
