/** @module Checks as a list: a mark, a word, the name and the sentence. Whatever checks a report has are shown as they are. */
import type { Check, CheckStatus } from '@countersign/receipts/verify';
import { element } from './element.ts';
import { visible } from './visible-text.ts';

const WORDS: Readonly<Record<CheckStatus, string>> = { pass: 'pass', fail: 'fail', 'not-checked': 'not checked' };
const MARKS: Readonly<Record<CheckStatus, string>> = { pass: '✓', fail: '✕', 'not-checked': '–' };

function checkItem({ name, status, code, sentence }: Check): HTMLElement {
  const mark = element('span', { class: 'mark', set: { 'aria-hidden': 'true' } }, [MARKS[status]]);
  return element('li', { class: 'check', data: { check: name, status, code } }, [
    element('span', { class: `status status-${status}` }, [mark, WORDS[status]]),
    element('span', { class: 'check-name' }, [name]),
    // Sentences quote names of logs and types, which come from the file.
    element('span', { class: 'sentence' }, [visible(sentence)]),
  ]);
}

export function checkList(checks: readonly Check[]): HTMLElement {
  return element('ul', { class: 'checks', set: { 'aria-label': 'Checks' } }, checks.map(checkItem));
}

/** What stands beside the verdict where it is no: the first check that failed. */
export function firstFault(checks: readonly Check[]): string {
  const fault = checks.find(({ status }) => status === 'fail');
  return fault === undefined ? 'What would prove it was not checked.' : visible(fault.sentence);
}

/** VERIFIED, or NOT VERIFIED. */
export function badge(ok: boolean, words: readonly [yes: string, no: string] = ['VERIFIED', 'NOT VERIFIED']): HTMLElement {
  return element('strong', { class: `badge badge-${ok ? 'yes' : 'no'}` }, [ok ? words[0] : words[1]]);
}
