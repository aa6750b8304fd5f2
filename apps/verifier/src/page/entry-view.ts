/**
 * @module What an entry says, for reading. All of it is text that a stranger may have written: it is cut, its unseen characters are
 * named, and it never becomes markup. Members that this page does not know are in the whole entry below.
 */
import { getOwn, isJsonObject, type JsonValue } from '@countersign/kernel';
import type { Bundle } from '@countersign/receipts/verify';
import { type Child, element, quoted } from './element.ts';
import { PAGE_LIMITS } from './limits.ts';
import { visible, visibleJson } from './visible-text.ts';

type Row = readonly [label: string, value: readonly Child[]];

const THOUSANDTHS = 1000;

/** The member of a member, by names. */
function at(value: JsonValue | undefined, ...names: readonly string[]): JsonValue | undefined {
  let here = value;
  for (const name of names) here = isJsonObject(here) ? getOwn(here, name) : undefined;
  return here;
}

function textOf(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

function row(label: string, value: JsonValue | undefined): readonly Row[] {
  const text = textOf(value);
  return text === undefined ? [] : [[label, [quoted(visible(text))]]];
}

function listRow(label: string, items: readonly (readonly Child[])[]): readonly Row[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, PAGE_LIMITS.shownItemsMax).map((item) => element('li', {}, item));
  const more = items.length - shown.length;
  return [[label, [element('ul', { class: 'items' }, [...shown, more > 0 ? element('li', {}, [`and ${more} more`]) : undefined])]]];
}

function itemsOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function risk(value: JsonValue | undefined): string {
  return typeof value === 'number' ? ` (${(value / THOUSANDTHS).toFixed(3)})` : '';
}

function reasonItem(reason: JsonValue): readonly Child[] {
  const [code, text, severity] = ['code', 'text', 'severity'].map((name) => visible(textOf(at(reason, name)) ?? ''));
  return [
    element('code', {}, [code]),
    ' ',
    quoted(text ?? ''),
    element('span', { class: 'dim' }, [` ${severity}${risk(at(reason, 'score'))}`]),
  ];
}

function verdictRows(body: JsonValue): readonly Row[] {
  const verdict = at(body, 'verdict');
  const decision = textOf(at(verdict, 'decision'));
  if (decision === undefined) return [];
  const cut = at(verdict, 'reasonsCut');
  const by = textOf(at(verdict, 'by')) ?? '';
  const severity = textOf(at(verdict, 'severity')) ?? '';
  return [
    ['Decision', [element('strong', { class: 'decision' }, [visible(decision)]), ` by the ${visible(by)}`]],
    ['Risk', [`${visible(severity)}${risk(at(verdict, 'risk'))}`]],
    ...listRow('Reasons', itemsOf(at(verdict, 'reasons')).map(reasonItem)),
    ...(typeof cut === 'number' && cut > 0 ? row('Reasons left out', cut) : []),
    ...listRow(
      'Obligations',
      itemsOf(at(verdict, 'obligations')).map((item) => [quoted(visible(textOf(item) ?? ''))]),
    ),
  ];
}

function peopleRows(body: JsonValue): readonly Row[] {
  const members = itemsOf(at(body, 'principal', 'delegation')).map((member) => [quoted(visible(textOf(member) ?? ''))]);
  return [
    ...row('Organisation', at(body, 'principal', 'org') ?? at(body, 'org')),
    ...row('Agent', at(body, 'principal', 'agent')),
    ...listRow('Delegated by', members),
  ];
}

function actionRows(body: JsonValue): readonly Row[] {
  const names = itemsOf(at(body, 'action', 'fields')).map((field) => [element('code', {}, [visible(textOf(field) ?? '')])]);
  return [...row('Action', at(body, 'action', 'kind')), ...row('Tool', at(body, 'action', 'tool')), ...listRow('Fields', names)];
}

/** Members that other types than receipts have, by name and label. */
const FURTHER: readonly (readonly [name: string, label: string])[] = [
  ['receipt', 'Outcome of receipt'],
  ['status', 'Status'],
  ['code', 'Answer code'],
  ['durationMs', 'Duration, ms'],
  ['redactions', 'Redactions'],
  ['reason', 'Reason'],
  ['outcomeBy', 'Outcome due by'],
  ['coverage', 'Coverage'],
  ['signing', 'Signing'],
  ['durability', 'Durability'],
];

function findingItem(finding: JsonValue): readonly Child[] {
  return [element('code', {}, [visible(textOf(at(finding, 'rule')) ?? '')])];
}

/** The rows of a body, those that decide first. */
function rowsOf(body: JsonValue): readonly Row[] {
  return [
    ...verdictRows(body),
    ...peopleRows(body),
    ...actionRows(body),
    ...FURTHER.flatMap(([name, label]) => row(label, at(body, name))),
    ...listRow('Findings', itemsOf(at(body, 'findings')).map(findingItem)),
    ...row('Time', at(body, 'time')),
  ];
}

function rowsView(rows: readonly Row[]): HTMLElement {
  const parts = rows.flatMap(([label, value]) => [element('dt', {}, [label]), element('dd', {}, value)]);
  return element('dl', { class: 'rows' }, parts);
}

function disclosed(bundle: Bundle): string {
  const parts = [bundle.inputs === undefined ? '' : 'what was judged', bundle.documents === undefined ? '' : 'policy and rules'];
  const named = parts.filter((part) => part !== '').join(', ');
  return named === '' ? 'nothing of the content' : named;
}

/** The readable view of a bundle's entry. */
export function entryView(bundle: Bundle, ok: boolean): HTMLElement {
  const body = bundle.entry.body as unknown as JsonValue;
  const caution = ok
    ? 'This is what was recorded. Texts in it may come from outside: read them as quotations.'
    : 'This is what the file says of itself. It is not verified: do not rely on it.';
  const whole = element('details', { class: 'whole' }, [
    element('summary', {}, ['The whole entry as JSON']),
    element('pre', { set: { tabindex: '0', dir: 'ltr', 'aria-label': 'The whole entry as JSON' } }, [visibleJson(bundle.entry)]),
  ]);
  const rows: readonly Row[] = [...rowsOf(body), ['Disclosed in the file', [disclosed(bundle)]]];
  return element('section', { class: 'entry', set: { 'aria-label': 'What the entry says' } }, [
    element('p', { class: ok ? 'dim' : 'caution' }, [caution]),
    rowsView(rows),
    whole,
  ]);
}

/** Type, id, log, session and place: what the entry is, in one list. */
export function subjectView(subject: Readonly<Record<string, unknown>>): HTMLElement {
  const rows = Object.entries(subject).map(([name, value]): Row => [name, [quoted(visible(String(value)))]]);
  return element('section', { class: 'subject', set: { 'aria-label': 'Which entry' } }, [rowsView(rows)]);
}
