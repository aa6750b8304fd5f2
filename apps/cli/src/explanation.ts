/** @module An explanation as JSON and as text: what was understood, what was found and where, and what would be allowed. */
import type { Edit, EditKind, Explanation, ExplainedFinding } from '@countersign/judge';
import type { JsonObject, JsonValue } from '@countersign/kernel';
import type { Facts, Reason } from '@countersign/protocol';
import { CLI_LIMITS } from './limits.ts';
import { type Paint, printable } from './render.ts';
import { colourOf, fraction, verdictJson } from './verdicts.ts';

/** What an edit does, in words: `%w` is what stood there, `%t` what comes instead. */
const WORDS: Readonly<Record<EditKind, string>> = {
  'add-word': 'add `%t`',
  'add-where': 'say which rows:`%t`',
  'add-limit': 'ask for fewer rows:`%t`',
  'drop-wrapper': 'leave out `%w`',
  'replace-path': 'use `%t` instead of `%w`',
  'replace-secret': 'keep `%w` out of it',
  'drop-redirect': 'leave out `%w`',
  'drop-option': 'leave out `%w`',
  'drop-word': 'leave out `%w`',
  'drop-statement': 'leave out `%w`',
  'drop-command': 'leave out `%w`',
  'cut-text': 'leave out `%w`',
};

/** One line for an edit; the secret it takes out is not repeated. */
export function editText({ kind, was, text }: Edit): string {
  const shown = kind === 'replace-secret' ? `${was.slice(0, 4)}…` : was.trim();
  const cut = shown.length > CLI_LIMITS.quoteChars ? `${shown.slice(0, CLI_LIMITS.quoteChars)}…` : shown;
  return WORDS[kind].replace('%w', () => cut).replace('%t', () => text);
}

type Line = readonly [string, string];

function list(values: readonly string[]): string {
  return values.length === 0 ? '' : ` (${values.join(', ')})`;
}

function commandLines({ commands }: Facts): readonly Line[] {
  return commands.map(({ line, wrappers, via, dynamic, redirects }) => {
    const notes = [...wrappers.map((name) => `through ${name}`), ...(via === 'top' ? [] : [via]), ...(dynamic ? ['partly unknown'] : [])];
    const into = redirects.map(({ operator, target }) => ` ${operator} ${target}`).join('');
    return ['command', `${line}${into}${list(notes)}`];
  });
}

function statementLines({ statements }: Facts): readonly Line[] {
  return statements.map(({ kind, tables, features, hasWhere, tautology, fragment }) => {
    const notes = [...features, ...(tautology ? ['always true'] : []), ...(fragment ? ['fragment'] : []), ...(hasWhere ? ['where'] : [])];
    return ['statement', `${kind} ${tables.join(', ')}`.trim() + list(notes)];
  });
}

function placeLines({ effects, paths, hosts }: Facts): readonly Line[] {
  return [
    ...effects.map(({ kind, target, place }): Line => [kind, place === '' ? target : `${target} (${place})`]),
    ...paths.map(({ normalized, raw, access }): Line => {
      const written = raw === normalized ? [] : [`written ${raw}`];
      return ['path', `${normalized}${list([access, ...written])}`];
    }),
    ...hosts.map(({ host, address, access, oddities }): Line => {
      const special = address === undefined || address === 'public' ? [] : [address];
      return ['host', `${host}${list([access, ...special, ...oddities])}`];
    }),
  ];
}

/** What the action was understood as, one fact to a line; equal lines once. */
function factLines(facts: Facts): readonly Line[] {
  const layers = facts.texts.filter((text) => text.layers.length > 0 && text.role !== 'joined');
  const lines: readonly Line[] = [
    ...layers.map(({ layers: names, text }): Line => [names.join(' > '), text]),
    ...commandLines(facts),
    ...statementLines(facts),
    ...facts.codes.map(({ language, features }): Line => ['code', `${language}${list(features)}`]),
    ...placeLines(facts),
    ...facts.secrets.map(({ type, confidence }): Line => ['secret', `${type}, ${confidence} confidence`]),
    ...facts.pii.map(({ type, confidence }): Line => ['personal', `${type}, ${confidence} confidence`]),
    ...facts.cuts.map((cut): Line => ['not read', cut]),
  ];
  return [...new Map(lines.map((line) => [line.join(' '), line] as const)).values()];
}

function cutLines(lines: readonly Line[], paint: Paint): readonly string[] {
  const width = Math.max(0, ...lines.map(([name]) => name.length));
  const shown = lines.slice(0, CLI_LIMITS.explainedLines).map(([name, value]) => {
    const text = printable(value.replaceAll('\n', ' '));
    return `  ${paint('dim', name.padEnd(width))}  ${text.length > CLI_LIMITS.quoteChars ? `${text.slice(0, CLI_LIMITS.quoteChars)}…` : text}`;
  });
  return lines.length > shown.length ? [...shown, `  and ${lines.length - shown.length} more`] : shown;
}

function findingLines({ finding, places, shown, readAs }: ExplainedFinding, paint: Paint): readonly string[] {
  const head = `  ${paint('bold', finding.rule)} ${finding.severity} ${fraction(finding.score).toFixed(2)}: ${finding.title}`;
  const [first] = places;
  const more = places.length + finding.evidenceCut - 1;
  const also = more > 0 ? `, and ${more} more` : '';
  const place = first === undefined ? '' : ` at ${first.path} ${first.start}-${first.end}: \`${printable(first.quote)}\`${also}`;
  const layers = shown.map(({ layers: names, text }) => `    ${paint('dim', `under ${names.join(' > ')}:`)} \`${printable(text)}\``);
  return [
    head,
    `    ${paint('dim', 'by')} ${finding.fact}${place}`,
    ...readAs.map((line) => `    ${paint('dim', 'read as')} \`${printable(line)}\``),
    ...layers,
  ];
}

function otherReasons({ judged, findings }: Explanation): readonly Reason[] {
  const found = new Set(findings.map(({ finding }) => finding.rule));
  return judged.judgement.verdict.reasons.filter(({ code }) => !found.has(code));
}

function changeLines({ change, judged }: Explanation, paint: Paint): readonly string[] {
  if (judged.judgement.verdict.decision === 'allow') return [];
  if (change === undefined) return ['', 'no small change of its text would be allowed'];
  const edits = change.edits.map((edit) => `  ${editText(edit)}`);
  const path = change.edits.at(-1)?.path ?? '';
  const after = change.texts.find((text) => text.path === path)?.text ?? '';
  const { decision, reasons } = change.verdict;
  const heads = { allow: 'nearest change that would be allowed', warn: 'nearest change that would be let through with a warning' } as const;
  const passes = decision === 'allow' || decision === 'warn';
  return [
    '',
    passes ? heads[decision] : 'no change of its text alone would be allowed; this comes nearest',
    ...edits,
    `  ${paint('dim', 'then:')} ${printable(after)}`,
    ...(passes ? [] : reasons.map(({ code, text }) => `  ${paint('dim', 'still:')} ${code}: ${printable(text)}`)),
  ];
}

/** The explanation for people. */
export function explanationText(explanation: Explanation, paint: Paint): string {
  const { facts, judgement } = explanation.judged;
  const { verdict } = judgement;
  const head = `${paint(colourOf(verdict.decision), verdict.decision.toUpperCase())}  risk ${fraction(verdict.risk).toFixed(2)}  severity ${verdict.severity}`;
  const understood = factLines(facts);
  const others = otherReasons(explanation).map(({ code, text }) => `  ${paint('bold', code)}: ${printable(text)}`);
  const found = [...explanation.findings.flatMap((finding) => findingLines(finding, paint)), ...others];
  return [
    head,
    '',
    'understood',
    ...(understood.length === 0 ? ['  plain text, nothing to take apart'] : cutLines(understood, paint)),
    '',
    'found',
    ...(found.length === 0 ? ['  nothing'] : found),
    ...changeLines(explanation, paint),
  ].join('\n');
}

/** The explanation for machines. Texts of the action are in it. */
export function explanationJson({ judged, findings, change }: Explanation): JsonObject {
  const { texts, commands, statements, codes, effects, paths, hosts, secrets, pii, cuts } = judged.facts;
  const layers = texts.filter((text) => text.layers.length > 0).map(({ span, layers: names, text }) => ({ span, layers: names, text }));
  const json: unknown = {
    ...verdictJson(judged.judgement),
    facts: { layers, commands, statements, codes, effects, paths, hosts, secrets, pii, cuts },
    findings: findings.map(({ finding, places, ...more }) => ({ ...finding, score: fraction(finding.score), evidence: places, ...more })),
    change:
      change === undefined
        ? null
        : {
            edits: change.edits.map((edit) => ({ ...edit, says: editText(edit) })),
            texts: change.texts,
            decision: change.verdict.decision,
            risk: fraction(change.verdict.risk),
          },
  };
  // Facts and findings are plain data; optional members that are absent do not become JSON.
  return JSON.parse(JSON.stringify(json)) as Record<string, JsonValue>;
}
