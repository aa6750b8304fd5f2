/**
 * @module The walk from shell syntax to facts: every simple command, wherever it hides, with wrappers, quotes, known variables, encoded
 * pipes and nested shells folded away.
 */
import type { Span } from '@countersign/protocol';
import { expandBraces } from './shell-braces.ts';
import { emit, spent } from './shell-emit.ts';
import { expandValue, expandWord } from './shell-expand.ts';
import { readScript } from './shell-grammar.ts';
import { inlineCode, isInterpreter, startedCommands } from './shell-interpreter.ts';
import { SHELL_LIMITS } from './shell-limits.ts';
import { outputOf, outputOfLookup } from './shell-output.ts';
import { readRedirects } from './shell-redirects.ts';
import { addCommands, commandName, known, type Call, type Field, type Folder, type Frame, type Shell, type Stage } from './shell-state.ts';
import {
  createScan,
  type Assignment,
  type GroupNode,
  type Pipeline,
  type Script,
  type ShellNode,
  type SimpleNode,
  type Word,
} from './shell-syntax.ts';
import { readWord } from './shell-words.ts';
import { isShell, unwrap, type Unwrapped } from './shell-wrappers.ts';
import { readsInput, withInput } from './shell-input.ts';
import { applyBuiltin, declareAll, fileText, keepOutput } from './shell-memory.ts';
import { shellEscapes } from './tool-body.ts';
import { readWindows, windowsDialects, windowsText, type WindowsText } from './windows-shell.ts';

const NO_STAGE: Stage = { output: undefined, index: -1 };
/** Read their text in the shell that runs them. */
const SAME_SHELL: ReadonlySet<string> = new Set(['eval', 'trap', 'source', '.', 'alias']);
const BRACE_SOURCE_MAX = 1024;

const folder: Folder = { walk, expand: (shell, parts, frame) => expandValue(folder, shell, { parts, frame }) };

function fieldsOf(shell: Shell, word: Word, frame: Frame): readonly Field[] {
  if (!word.braces || word.source.length > BRACE_SOURCE_MAX || !/,|\.\./.test(word.source))
    return expandWord(folder, shell, { parts: word.parts, frame });
  const sources = expandBraces(word.source);
  shell.steps += word.source.length;
  if (sources === undefined) return [{ text: word.source, dynamic: true, unknownEnd: word.source.length }];
  if (sources.length === 1) return expandWord(folder, shell, { parts: word.parts, frame });
  return sources.flatMap((source) => {
    const scan = createScan(source);
    const parts = readWord(scan, () => [])?.parts ?? [];
    shell.steps += scan.steps;
    return expandWord(folder, shell, { parts, frame });
  });
}

function assign(shell: Shell, assignment: Assignment, frame: Frame): void {
  const { name, append } = assignment;
  const value = folder.expand(shell, assignment.value, frame);
  const before = append ? shell.variables.get(name) : '';
  if (name === '') return;
  // `$HOME` and its kin are values that are known by name: they travel inside other values.
  const text = value.dynamic || before === undefined ? undefined : (before + value.text).slice(0, SHELL_LIMITS.wordCharsMax);
  shell.variables.set(name, text);
}

function enterFrame(
  frame: Frame,
  found: { readonly label: string; readonly via?: Frame['via']; readonly span: Span; readonly positional?: readonly string[] },
): Frame {
  return {
    via: found.via ?? frame.via,
    wrappers: [...frame.wrappers, found.label],
    span: frame.span ?? found.span,
    positional: found.positional ?? frame.positional,
    depth: frame.depth + 1,
    subshell: frame.subshell || !SAME_SHELL.has(found.label),
  };
}

/** Commands a shell, scheduler or interpreter reads from its standard input or its command line. */
function readInput(shell: Shell, call: Call, frame: Frame): void {
  const name = commandName(call.fields[0]);
  const text = call.here ?? call.input?.output;
  const args = call.fields.slice(1);
  runFile(shell, call, frame);
  if (text !== undefined && readsInput(name, args)) {
    const positional = [name, ...args.filter((arg) => !arg.text.startsWith('-')).map((arg) => arg.text)];
    reread(shell, text, {
      frame: enterFrame(frame, { label: name, via: call.heredoc ? 'heredoc' : 'inline', span: call.span, positional }),
    });
  }
  if (!isInterpreter(name)) return;
  const operand = args.find((arg) => !arg.text.startsWith('-'));
  const code = inlineCode(name, args) ?? (operand === undefined ? text : fileText(shell, operand.text));
  if (code !== undefined) readCode(shell, code, enterFrame(frame, { label: name, via: 'interpreter', span: call.span }));
}

/** `sh FILE`, `. FILE` and `./FILE`, where the file was written in this very text. */
function runFile(shell: Shell, call: Call, frame: Frame): void {
  const [first, ...args] = call.fields;
  const name = commandName(first);
  const runs = isShell(name) || name === 'source' || name === '.';
  const file = runs ? args.find((arg) => !arg.text.startsWith('-')) : first;
  const text = fileText(shell, file?.text);
  if (text === undefined) return;
  const label = runs ? name : 'script';
  reread(shell, text, { frame: enterFrame(frame, { label, via: 'inline', span: call.span, positional: args.map((arg) => arg.text) }) });
}

/** An alias is read besides the command of that name: whether a shell expands it depends on how it was started. */
function runAlias(shell: Shell, call: Call, input: { readonly body: string; readonly name: string; readonly frame: Frame }): void {
  const { body, name, frame } = input;
  const guard = `alias ${name}`;
  if (shell.calling.has(guard)) return;
  shell.calling.add(guard);
  const text = [body, ...call.fields.slice(1).map((field) => field.text)].join(' ');
  reread(shell, text, { frame: enterFrame(frame, { label: 'alias', via: 'inline', span: call.span }), from: call.input });
  shell.calling.delete(guard);
}

/** Commands that the client of a database hands to a shell. */
function readEscapes(shell: Shell, input: { readonly index: number; readonly call: Call; readonly frame: Frame }): void {
  const body = shell.commands[input.index]?.call?.body;
  if (body === undefined) return;
  const name = commandName(input.call.fields[0]);
  shell.steps += body.length;
  for (const text of shellEscapes(body))
    reread(shell, text, { frame: enterFrame(input.frame, { label: name, via: 'interpreter', span: input.call.span }) });
}

function readCode(shell: Shell, code: string, frame: Frame): void {
  shell.evalChars += code.length;
  shell.steps += code.length;
  if (shell.evalChars > SHELL_LIMITS.evalCharsMax) {
    shell.cut = true;
    return;
  }
  for (const started of startedCommands(code)) {
    if ('text' in started) reread(shell, started.text, { frame });
    else if (frame.span !== undefined) {
      runCall(
        shell,
        { fields: started.words.map(known), redirects: [], input: undefined, here: undefined, heredoc: false, span: frame.span },
        frame,
      );
    }
  }
}

function enterUnwrapped(shell: Shell, call: Call, input: { readonly found: Unwrapped; readonly frame: Frame }): Stage {
  const { found, frame } = input;
  const via = found.label === 'eval' || found.label === 'trap' ? 'eval' : found.text === undefined ? frame.via : 'inline';
  if (found.text !== undefined) {
    const { text } = found;
    const inner = enterFrame(frame, { label: found.label, via, span: call.span });
    return reread(shell, text, { frame: inner, from: call.input });
  }
  const fields = found.takesInput === true ? withInput(call, found.fields ?? []) : (found.fields ?? []);
  return runCall(shell, { ...call, fields }, { ...frame, wrappers: [...frame.wrappers, found.label] });
}

function runFunction(shell: Shell, call: Call, input: { readonly body: Script; readonly name: string; readonly frame: Frame }): Stage {
  const { body, name, frame } = input;
  shell.called.add(name);
  shell.calling.add(name);
  const positional = call.fields.map((field) => field.text);
  const stage = walk(shell, body, { ...frame, via: 'function', positional, depth: frame.depth + 1 });
  shell.calling.delete(name);
  return stage;
}

/** Runs a text of another dialect; the command that was given it stays, and what it runs comes after. */
function enterWindows(shell: Shell, call: Call, input: { readonly found: WindowsText; readonly frame: Frame }): Stage {
  const { found, frame } = input;
  const index = emit(shell, call, frame);
  rereadWindows(shell, found, enterFrame(frame, { label: found.label, via: 'inline', span: call.span }));
  return { output: undefined, index };
}

/** Reads a text as `cmd` or PowerShell and runs its commands, each fed by the one that the reader says. */
function rereadWindows(shell: Shell, found: Pick<WindowsText, 'text' | 'dialect'>, frame: Frame): void {
  shell.evalChars += found.text.length;
  if (frame.depth > SHELL_LIMITS.evalDepthMax || shell.evalChars > SHELL_LIMITS.evalCharsMax) {
    shell.cut = true;
    return;
  }
  const { calls, steps, cut } = readWindows(found.text, found.dialect);
  shell.steps += steps;
  shell.cut ||= cut;
  const indexes: number[] = [];
  for (const { fields, redirects, start, end, fedBy } of calls) {
    if (spent(shell)) return;
    const fed = indexes[fedBy];
    const from = fed === undefined ? undefined : { output: undefined, index: fed };
    const span = frame.span ?? shell.spanOf(start, end);
    indexes.push(runCall(shell, { fields, redirects, input: from, here: undefined, heredoc: false, span }, frame).index);
  }
}

/** Commands that a reading as `cmd` or PowerShell sees besides those found, with the same bounds. Nothing that was found goes away. */
export function foldWindows(shell: Shell, text: string, other: Shell): void {
  for (const dialect of windowsDialects(text)) rereadWindows(other, { text, dialect }, { ...TOP });
  shell.steps += other.steps + text.length;
  shell.cut ||= other.cut;
  addCommands(shell, other.commands);
}

/** Too deep to look inside: the command stands for itself, and the reading says that it ends here. */
function runDeep(shell: Shell, call: Call, frame: Frame): Stage {
  shell.cut ||= unwrap(call.fields).length > 0 || windowsText(call.fields) !== undefined;
  return finish(shell, call, frame);
}

function runWrapped(shell: Shell, call: Call, frame: Frame): Stage {
  const windows = windowsText(call.fields);
  if (windows !== undefined) return enterWindows(shell, call, { found: windows, frame });
  const inner = unwrap(call.fields);
  return inner.length === 0 ? finish(shell, call, frame) : runInner(shell, call, { inner, frame });
}

/** Understands one call: what it runs, or that it runs itself. */
function runCall(shell: Shell, call: Call, frame: Frame): Stage {
  const [first] = call.fields;
  if (first === undefined || spent(shell)) return NO_STAGE;
  const deep = frame.depth >= SHELL_LIMITS.evalDepthMax || frame.wrappers.length >= SHELL_LIMITS.wrappersMax;
  const alias = deep ? undefined : shell.aliases.get(first.text);
  if (alias !== undefined) runAlias(shell, call, { body: alias, name: first.text, frame });
  const body = shell.functions.get(first.text);
  if (body !== undefined && !deep && !shell.calling.has(first.text)) return runFunction(shell, call, { body, name: first.text, frame });
  return deep ? runDeep(shell, call, frame) : runWrapped(shell, call, frame);
}

function runInner(shell: Shell, call: Call, input: { readonly inner: readonly Unwrapped[]; readonly frame: Frame }): Stage {
  const { inner, frame } = input;
  let stage = NO_STAGE;
  if (inner.some((found) => found.keep)) stage = { output: undefined, index: emit(shell, call, frame) };
  for (const found of inner) {
    const result = enterUnwrapped(shell, call, { found, frame });
    stage = found.keep ? stage : result;
  }
  return stage;
}

function finish(shell: Shell, call: Call, frame: Frame): Stage {
  const name = commandName(call.fields[0]);
  const index = emit(shell, call, frame);
  const args = call.fields.slice(1).map((field) => field.text);
  const text = call.here ?? call.input?.output;
  applyBuiltin(shell, name, { args, text });
  readInput(shell, call, frame);
  readEscapes(shell, { index, call, frame });
  if (call.fields.some((field) => field.dynamic)) return { output: undefined, index };
  const output = name === 'command' ? outputOfLookup(args) : outputOf(name, args, text);
  keepOutput(shell, call, output);
  const toFile = call.redirects.some((redirect) => redirect.operator.startsWith('>') && redirect.operator !== '>&');
  return { output: toFile ? undefined : output, index };
}

function walkSimple(shell: Shell, node: SimpleNode, input: { readonly frame: Frame; readonly from: Stage | undefined }): Stage {
  const { frame, from } = input;
  const span = shell.spanOf(node.start, node.end);
  if (frame.span === undefined) shell.starts.add(node.start);
  const saved = new Map<string, string | undefined>();
  for (const assignment of node.assignments) {
    saved.set(assignment.name, shell.variables.get(assignment.name));
    assign(shell, assignment, frame);
  }
  const fields = node.words.flatMap((word) => fieldsOf(shell, word, frame));
  const { redirects, here, heredoc } = readRedirects(folder, shell, { redirects: node.redirects, frame });
  if (fields.length === 0 && redirects.length > 0) {
    // `> file` alone truncates it: a command without a name.
    if (!spent(shell)) emit(shell, { fields: [], redirects, input: from, here, heredoc, span }, frame);
    return NO_STAGE;
  }
  declareAll(shell, commandName(fields[0]), fields);
  const stage = runCall(shell, { fields, redirects, input: from, here, heredoc, span }, frame);
  if (fields.length > 0) for (const [name, value] of saved) shell.variables.set(name, value);
  return stage;
}

function walkGroup(shell: Shell, node: GroupNode, input: { readonly frame: Frame; readonly from: Stage | undefined }): Stage {
  const { from } = input;
  const frame = node.subshell === true ? { ...input.frame, subshell: true } : input.frame;
  if (node.loop !== undefined) {
    const values = node.loop.words.flatMap((word) => fieldsOf(shell, word, frame));
    const [only] = values;
    shell.variables.set(node.loop.name, values.length === 1 && only?.dynamic === false ? only.text : undefined);
  }
  const { redirects, here } = readRedirects(folder, shell, { redirects: node.redirects, frame });
  const fed = here === undefined ? from : { output: here, index: from?.index ?? -1 };
  const first = shell.commands.length;
  const stage = walkScript(shell, node.body, { frame, from: fed });
  const last = shell.commands[stage.index];
  if (redirects.length > 0 && last !== undefined && stage.index >= first) last.redirects = [...last.redirects, ...redirects];
  return stage;
}

function walkNode(shell: Shell, node: ShellNode, input: { readonly frame: Frame; readonly from: Stage | undefined }): Stage {
  shell.steps += 1;
  if (node.kind === 'simple') return walkSimple(shell, node, input);
  if (node.kind === 'group') return walkGroup(shell, node, input);
  shell.functions.set(node.name, node.body);
  shell.called.delete(node.name);
  return NO_STAGE;
}

function walkPipeline(shell: Shell, pipeline: Pipeline, input: { readonly frame: Frame; readonly from: Stage | undefined }): Stage {
  let stage = input.from;
  const frame = pipeline.length > 1 ? { ...input.frame, subshell: true } : input.frame;
  for (const node of pipeline) stage = walkNode(shell, node, { frame, from: stage });
  return stage ?? NO_STAGE;
}

function walkScript(shell: Shell, script: Script, input: { readonly frame: Frame; readonly from: Stage | undefined }): Stage {
  let output: string | undefined = '';
  let index = -1;
  for (const pipeline of script) {
    if (spent(shell)) break;
    const stage = walkPipeline(shell, pipeline, { frame: input.frame, from: index === -1 ? input.from : undefined });
    output = output === undefined || stage.output === undefined ? undefined : output + stage.output;
    index = stage.index === -1 ? index : stage.index;
  }
  return { output: index === -1 ? undefined : output, index };
}

function walk(shell: Shell, body: Script, frame: Frame): Stage {
  return walkScript(shell, body, { frame, from: undefined });
}

function reread(shell: Shell, text: string, input: { readonly frame: Frame; readonly from?: Stage | undefined }): Stage {
  const { frame, from } = input;
  shell.evalChars += text.length;
  if (frame.depth > SHELL_LIMITS.evalDepthMax || shell.evalChars > SHELL_LIMITS.evalCharsMax) {
    shell.cut = true;
    return NO_STAGE;
  }
  const scan = createScan(text);
  const script = readScript(scan);
  shell.steps += scan.steps;
  shell.cut ||= scan.cut;
  return walkScript(shell, script, { frame, from });
}

/** Bodies of functions that nothing called: listed all the same. */
function walkUncalled(shell: Shell, frame: Frame): void {
  for (const [name, body] of shell.functions) {
    if (shell.called.has(name)) continue;
    shell.called.add(name);
    shell.calling.add(name);
    walk(shell, body, { ...frame, via: 'function' });
    shell.calling.delete(name);
  }
}

const TOP: Frame = { via: 'top', wrappers: [], span: undefined, positional: undefined, depth: 0, subshell: false };

/** Reads `text` between two offsets into `shell`. */
export function foldText(shell: Shell, text: string): void {
  const frame: Frame = { ...TOP };
  const scan = createScan(text);
  const script = readScript(scan);
  shell.steps += scan.steps;
  shell.cut ||= scan.cut;
  shell.doubt = scan.doubt;
  walk(shell, script, frame);
  walkUncalled(shell, frame);
}
