/**
 * @module Changes of the section `detection` in a policy as it was written: comments stay, and what is not touched stays byte for byte
 * wherever the document allows it.
 */
import { type Document, isMap, isScalar, isSeq, type Pair, parseDocument, Document as YamlDocument, type YAMLMap } from 'yaml';
import type { Detection } from './content.ts';

/** One change. `inherited`: what holds before it, the document and all that it extends taken together. */
export type DetectionChange =
  | { readonly do: 'level'; readonly level: number }
  | { readonly do: 'disable'; readonly rule: string }
  | { readonly do: 'enable'; readonly rule: string }
  /** As people write it, above 0 and up to 1; undefined: the rule has its own score again. */
  | { readonly do: 'tune'; readonly rule: string; readonly score: number | undefined };

const SECTION = 'detection';
const PARSE = { uniqueKeys: true, strict: true, merge: false, prettyErrors: false, version: '1.2', logLevel: 'error' } as const;
/** Long lines stay long, and lists in brackets stay tight. */
const PRINT = { lineWidth: 0, flowCollectionPadding: false } as const;

function setDisabled(document: Document, ids: readonly string[]): void {
  const path = [SECTION, 'disable'];
  const written: unknown = document.getIn(path, true);
  if (!isSeq(written)) {
    const list = document.createNode(ids, { flow: true });
    document.setIn(path, list);
    return;
  }
  const idOf = (item: unknown): string => (isScalar(item) ? String(item.value) : '');
  written.items = written.items.filter((item) => ids.includes(idOf(item)));
  const there = new Set(written.items.map(idOf));
  for (const id of ids) if (!there.has(id)) written.add(document.createNode(id));
  // An empty list has no block form.
  if (written.items.length === 0) written.flow = true;
}

function apply(document: Document, change: DetectionChange, before: Detection): void {
  if (!isMap(document.getIn([SECTION], true))) document.setIn([SECTION], document.createNode({}));
  if (change.do === 'level') document.setIn([SECTION, 'paranoia_level'], change.level);
  else if (change.do === 'disable') setDisabled(document, [...new Set([...before.disable, change.rule])]);
  else if (change.do === 'enable')
    setDisabled(
      document,
      before.disable.filter((id) => id !== change.rule),
    );
  else if (change.score === undefined) {
    if (document.hasIn([SECTION, 'scores', change.rule])) document.deleteIn([SECTION, 'scores', change.rule]);
  } else {
    if (!isMap(document.getIn([SECTION, 'scores'], true))) document.setIn([SECTION, 'scores'], document.createNode({}));
    document.setIn([SECTION, 'scores', change.rule], change.score);
  }
}

function sectionOf(document: Document): Pair | undefined {
  const { contents } = document;
  return isMap(contents) ? contents.items.find(({ key }) => isScalar(key) && key.value === SECTION) : undefined;
}

/** The section alone, without what stands above its key: that stays where it is. */
function printSection(document: Document): string {
  const alone = new YamlDocument({}, PARSE);
  const pair = sectionOf(document);
  if (pair === undefined || !isScalar(pair.key)) return '';
  const { commentBefore = null, spaceBefore = false } = pair.key;
  pair.key.commentBefore = null;
  pair.key.spaceBefore = false;
  (alone.contents as unknown as YAMLMap).items = [pair];
  const text = alone.toString(PRINT);
  pair.key.commentBefore = commentBefore;
  pair.key.spaceBefore = spaceBefore;
  return text;
}

function commentsOf(text: string): string {
  return text
    .split('\n')
    .flatMap((line) => /(?:^|\s)#.*$/.exec(line)?.[0].trim() ?? [])
    .toSorted()
    .join('\n');
}

/** True where `text` says what the document says, comments too. */
function saysTheSame(text: string, whole: { readonly value: string; readonly comments: string }): boolean {
  const again = parseDocument(text, PARSE);
  return again.errors.length === 0 && JSON.stringify(again.toJS()) === whole.value && commentsOf(text) === whole.comments;
}

/** Texts with only the section replaced or added, best first. */
function splices(text: string, document: Document): readonly string[] {
  const section = printSection(document);
  const written = parseDocument(text, PARSE);
  const pair = sectionOf(written);
  const isBlock = isMap(written.contents) && written.contents.flow !== true;
  if (!isBlock) return [];
  if (pair === undefined) return [`${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${section}`];
  const start = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
  // What the parser made has ranges; a key without a value ends where it ends itself.
  const range = (pair.value as { range?: readonly [number, number, number] } | null)?.range;
  if (start === undefined || range === undefined) return [];
  return [range[1], range[2]].map((end) => {
    // Blank lines behind a block count as part of it; they stay.
    const rest = text.slice(start + text.slice(start, end).trimEnd().length);
    return `${text.slice(0, start)}${section.trimEnd()}${rest}`;
  });
}

/**
 * Changes the section of a document that `parsePolicy` takes.
 * @param before What holds now, resolved: a list that is inherited is written out, so that nothing else comes or goes.
 */
export function editDetection(text: string, change: DetectionChange, before: Detection): string {
  const document = parseDocument(text, PARSE);
  apply(document, change, before);
  const printed = document.toString(PRINT);
  const whole = { value: JSON.stringify(document.toJS()), comments: commentsOf(printed) };
  return splices(text, document).find((candidate) => saysTheSame(candidate, whole)) ?? printed;
}
