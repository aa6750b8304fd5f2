/**
 * @module The two grammars of the house, started once from their bytes: Bash (tree-sitter) and PostgreSQL (libpg-query).
 * Reading the bytes is the composition root's work; nothing here touches a disk.
 */
import { Language, Parser } from 'web-tree-sitter';
import { CodedError } from '@countersign/kernel';
import { createSqlParser, type SqlParser } from './sql-wasm.ts';

/** The three WebAssembly files as bytes. */
export interface ParserBytes {
  /** `web-tree-sitter/web-tree-sitter.wasm`, 0.27.1. */
  readonly treeSitter: Uint8Array;
  /** `tree-sitter-bash/tree-sitter-bash.wasm`, 0.25.1. */
  readonly bash: Uint8Array;
  /** `libpg-query/wasm/libpg-query.wasm`, 18.1.5. */
  readonly pgQuery: Uint8Array;
}

/** A simple command as the Bash grammar sees it, name to last word: half-open UTF-16 offsets into the text. */
export interface ShellRegion {
  readonly start: number;
  readonly end: number;
}

/** What the Bash grammar saw; `clean` is false where it had to guess. The second opinion of `shell.ts`, asked where the first one doubts. */
export interface ShellTree {
  readonly clean: boolean;
  /** Nodes visited. */
  readonly nodes: number;
  /** Simple commands in document order. */
  readonly commands: readonly ShellRegion[];
}

/** The Bash grammar. Synchronous; quadratic on hostile text, so only `shell.ts` may call it, behind its bounds. */
export interface ShellParser {
  parse(text: string): ShellTree;
}

/** Both grammars, ready. */
export interface Parsers {
  readonly shell: ShellParser;
  readonly sql: SqlParser;
}

function readTree(parser: Parser, text: string): ShellTree {
  const tree = parser.parse(text);
  if (tree === null) return { clean: false, nodes: 0, commands: [] };
  const commands: ShellRegion[] = [];
  let nodes = 0;
  const cursor = tree.walk();
  const clean = !tree.rootNode.hasError;
  let down = true;
  for (;;) {
    if (down) {
      nodes += 1;
      if (cursor.nodeType === 'command') commands.push({ start: cursor.startIndex, end: cursor.endIndex });
      if (cursor.gotoFirstChild()) continue;
    }
    if (cursor.gotoNextSibling()) {
      down = true;
      continue;
    }
    if (!cursor.gotoParent()) break;
    down = false;
  }
  cursor.delete();
  tree.delete();
  return { clean, nodes, commands };
}

async function createShellParser(treeSitter: Uint8Array, bash: Uint8Array): Promise<ShellParser> {
  try {
    await Parser.init({ wasmBinary: new Uint8Array(treeSitter) });
    const parser = new Parser();
    parser.setLanguage(await Language.load(new Uint8Array(bash)));
    return { parse: (text) => readTree(parser, text) };
  } catch (cause) {
    const message = 'the shell grammar could not be started from these bytes';
    throw new CodedError(
      { code: 'shell_grammar_invalid', message, hint: 'pass web-tree-sitter 0.27.1 and tree-sitter-bash 0.25.1' },
      { cause },
    );
  }
}

/**
 * Starts both grammars. Call once, before the first action.
 * @throws {CodedError} `wasm_missing`, `shell_grammar_invalid` or `sql_grammar_invalid`.
 */
export async function createParsers(wasm: ParserBytes): Promise<Parsers> {
  return { shell: await createShellParser(wasm.treeSitter, wasm.bash), sql: createSqlParser(wasm.pgQuery) };
}
