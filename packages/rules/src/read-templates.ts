/** @module Reads the `dlp` list of a rule document: templates by name, and what is to be different about them. */
import type { JsonValue } from '@countersign/kernel';
import { DLP_TEMPLATES, rulesOfTemplate, type TemplateOptions } from './dlp-templates.ts';
import { RULE_LIMITS } from './limits.ts';
import { expandKinds, readScore } from './read-kinds.ts';
import type { Reading } from './reading.ts';
import type { WrittenRule } from './rule.ts';

type Path = readonly (string | number)[];

const FIELDS = ['template', 'at_least', 'score', 'level', 'kinds'] as const;
const AT_LEAST_MAX = 256;
const ID_CHARS_MAX = 64;

/** The rules of the templates that a document names; their ids begin with the name of its pack. */
export function readTemplates(value: JsonValue | undefined, pack: string, reading: Reading): readonly WrittenRule[] {
  if (value === undefined) return [];
  const seen = new Set<string>();
  return reading.list(value, ['dlp'], { min: 1, max: RULE_LIMITS.templatesMax }).flatMap((item, i) => {
    const path = ['dlp', i];
    const written = reading.object(item, path, FIELDS);
    if (written === undefined) return [];
    const before = reading.faults.length;
    const name = reading.oneOf(written['template'], [...path, 'template'], [...DLP_TEMPLATES.keys()]);
    if (seen.has(name))
      reading.fault('rule_duplicate_id', [...path, 'template'], {
        message: `template \`${name}\` is there twice in this document`,
        hint: 'leave one of them out',
      });
    seen.add(name);
    const options = readOptions(written, path, reading);
    if (reading.faults.length > before) return [];
    const rules = rulesOfTemplate(name, { ...options, prefix: `${pack}.dlp` }) ?? [];
    if (rules.some((rule) => rule.id.length > ID_CHARS_MAX))
      reading.fault(
        'rule_range',
        ['pack'],
        `the name of the pack is too long: ids of its template rules have more than ${ID_CHARS_MAX} characters`,
      );
    return rules.map((rule) => ({ rule, examples: { positive: [], negative: [] } }));
  });
}

function readOptions(written: { readonly [field: string]: JsonValue }, path: Path, reading: Reading): TemplateOptions {
  const { at_least: atLeast, score, level, kinds } = written;
  return {
    ...(atLeast === undefined ? {} : { atLeast: reading.integer(atLeast, [...path, 'at_least'], { min: 1, max: AT_LEAST_MAX }) }),
    ...(score === undefined ? {} : { score: readScore(score, [...path, 'score'], reading) }),
    ...(level === undefined ? {} : { level: reading.integer(level, [...path, 'level'], { min: 1, max: 4 }) }),
    ...(kinds === undefined ? {} : { kinds: expandKinds(kinds, [...path, 'kinds'], reading) }),
  };
}
