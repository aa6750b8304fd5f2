/** @module Shell syntax as data: what the scanner reads and the folder walks. */

/** A piece of a word. `source` is the text as written, for what cannot be folded. */
export type Part =
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
  | {
      readonly kind: 'variable';
      readonly name: string;
      /** `` for plain `$x`; `#` prefix is `length`, `!` prefix is `indirect`; else `:-`, `//`, `:`, `^^` and so on. */
      readonly operator: string;
      readonly operand: readonly Part[];
      readonly source: string;
      readonly quoted: boolean;
    }
  | { readonly kind: 'substitution'; readonly body: Script; readonly source: string; readonly quoted: boolean }
  | { readonly kind: 'process'; readonly body: Script; readonly source: string }
  | { readonly kind: 'arithmetic'; readonly inner: readonly Part[]; readonly source: string };

/** A word; offsets are into the scanned text. */
export interface Word {
  readonly start: number;
  readonly end: number;
  readonly source: string;
  readonly parts: readonly Part[];
  /** An unquoted `{` was seen: brace expansion may apply. */
  readonly braces: boolean;
}

export interface Assignment {
  readonly name: string;
  readonly append: boolean;
  readonly value: readonly Part[];
}

export interface Redirection {
  readonly operator: string;
  readonly target: Word;
  /** Body of a here-document, once its lines were read. */
  body: readonly Part[] | undefined;
}

export interface SimpleNode {
  readonly kind: 'simple';
  readonly start: number;
  readonly end: number;
  readonly assignments: readonly Assignment[];
  readonly words: readonly Word[];
  readonly redirects: readonly Redirection[];
}

export interface GroupNode {
  readonly kind: 'group';
  readonly body: Script;
  readonly redirects: readonly Redirection[];
  /** Loop variable and the words it runs over. */
  readonly loop: { readonly name: string; readonly words: readonly Word[] } | undefined;
  /** In a process of its own: `( )`, or in the background. */
  readonly subshell?: true;
}

export interface FunctionNode {
  readonly kind: 'function';
  readonly name: string;
  readonly body: Script;
}

export type ShellNode = SimpleNode | GroupNode | FunctionNode;
/** Commands joined by pipes. */
export type Pipeline = readonly ShellNode[];
/** Pipelines one after another; `;`, `&`, `&&`, `||` and newlines alike. */
export type Script = readonly Pipeline[];

/** Where the scanner stands. */
export interface Scan {
  readonly text: string;
  readonly limit: number;
  pos: number;
  steps: number;
  depth: number;
  rewinds: number;
  nodes: number;
  cut: boolean;
  /** A quote, bracket or keyword had no partner: another reader may see it differently. */
  doubt: boolean;
  /** Here-documents whose bodies start after the next newline. */
  pending: { readonly redirect: Redirection; readonly delimiter: string; readonly expands: boolean; readonly tabs: boolean }[];
}

/** A scanner at the start of `text`. */
export function createScan(text: string): Scan {
  return { text, limit: text.length, pos: 0, steps: 0, depth: 0, rewinds: 0, nodes: 0, cut: false, doubt: false, pending: [] };
}
