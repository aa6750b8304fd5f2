/** @module Findings as SARIF 2.1.0: rules with their reasons, a region for each result, and fixes as replacements. */
import type { JsonObject, JsonValue } from '@countersign/kernel';
import { LINT_CODES } from './lint-codes.ts';
import type { LintEdit, LintFinding } from './lint-report.ts';

export interface SarifSource {
  /** As a URI reference: a path relative to where the tool ran. */
  readonly uri: string;
  readonly text: string;
}

interface Place {
  readonly line: number;
  readonly column: number;
}

function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const newline = before.lastIndexOf('\n');
  return { line: before.split('\n').length, column: offset - newline };
}

/** Lines and columns from 1, in UTF-16 code units (`columnKind`). */
function region(text: string, { start, end }: { readonly start: number; readonly end: number }): JsonObject {
  const [from, to] = [placeAt(text, start), placeAt(text, end)];
  return {
    startLine: from.line,
    startColumn: from.column,
    endLine: to.line,
    endColumn: to.column,
    charOffset: start,
    charLength: end - start,
  };
}

function replacement(text: string, edit: LintEdit): JsonObject {
  return { deletedRegion: region(text, edit), insertedContent: { text: edit.text } };
}

function resultOf(finding: LintFinding, index: number, source: SarifSource): JsonObject {
  const { code, level, message, path, position, fix } = finding;
  const artifactLocation = { uri: source.uri };
  const at = position === undefined ? {} : { region: region(source.text, position) };
  const changes = fix?.edits.map((edit) => replacement(source.text, edit)) ?? [];
  const fixes: JsonValue =
    fix === undefined ? [] : [{ description: { text: fix.description }, artifactChanges: [{ artifactLocation, replacements: changes }] }];
  return {
    ruleId: code,
    ruleIndex: index,
    level,
    message: { text: message },
    locations: [
      {
        physicalLocation: { artifactLocation, ...at },
        ...(path === '' ? {} : { logicalLocations: [{ fullyQualifiedName: path }] }),
      },
    ],
    ...(fix === undefined ? {} : { fixes }),
  };
}

function ruleOf(code: string): JsonObject {
  const known = LINT_CODES.get(code);
  if (known === undefined)
    return { id: code, shortDescription: { text: 'the document is not a policy' }, defaultConfiguration: { level: 'error' } };
  return {
    id: code,
    shortDescription: { text: known.title },
    fullDescription: { text: known.why },
    help: { text: known.why },
    defaultConfiguration: { level: known.level },
  };
}

/** One run over one document. */
export function sarifOf(findings: readonly LintFinding[], source: SarifSource, version: string): JsonObject {
  const codes = [...new Set(findings.map(({ code }) => code))].toSorted();
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'countersign policy lint', version, rules: codes.map(ruleOf) } },
        columnKind: 'utf16CodeUnits',
        artifacts: [{ location: { uri: source.uri } }],
        results: findings.map((finding) => resultOf(finding, codes.indexOf(finding.code), source)),
      },
    ],
  };
}
