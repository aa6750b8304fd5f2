/** A receipt as it stands in a log, with what was sealed with it. */
import { canonicalize, type JsonObject } from '@countersign/kernel';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkReceipt, disclose, readLeaf } from '../src/index.ts';
import { openWorld, ORIGIN, receiptDraft, uuid } from './fixtures.ts';

let leaf: Uint8Array = new Uint8Array(0);
let entry: JsonObject = {};
let inputs: JsonObject = {};

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (): string => new TextDecoder().decode(leaf);

beforeAll(async () => {
  const world = await openWorld();
  const staged = world.recorder.stageReceipt(receiptDraft(1));
  await staged.durable;
  const record = await world.log.readRecord(staged.index);
  leaf = record.entry;
  const opened = disclose(record, { log: ORIGIN, id: uuid(1), opener: world.sealer });
  const read = readLeaf(leaf);
  if (!opened.ok || !read.ok) throw new Error('the receipt cannot be read');
  entry = read.value;
  inputs = opened.value as unknown as JsonObject;
  await world.log.close();
});

describe('a leaf', () => {
  test.each<[string, () => Uint8Array]>([
    ['not UTF-8', () => Uint8Array.of(0xff)],
    ['not JSON', () => utf8('{')],
    ['no object', () => utf8('[]')],
    ['not canonical', () => utf8(text().replace('{"body":', '{ "body":'))],
    ['of a name twice', () => utf8('{"a":1,"a":1}')],
    ['cut', () => leaf.slice(0, -1)],
  ])('RPLY-010 that is %s is refused', (_name, bytes) => {
    expect(readLeaf(bytes())).toMatchObject({ ok: false, error: { code: 'entry_malformed' } });
  });
});

describe('a receipt with its inputs', () => {
  test('RPLY-012 is taken where they are those that it commits to', () => {
    expect(checkReceipt(entry, inputs)).toMatchObject({ ok: true, value: { body: { id: uuid(1) }, inputs } });
  });

  test.each<[string, (given: JsonObject) => JsonObject, string]>([
    ['another action', (given) => ({ ...given, action: {} }), 'The disclosed action is not the one'],
    ['another state', (given) => ({ ...given, state: {} }), 'The disclosed state is not'],
    ['another signal', (given) => ({ ...given, signals: [{}] }), 'The disclosed signals is not'],
    ['nothing', () => ({}), 'missing'],
    ['a response', () => ({ response: null, salt: 'A'.repeat(43) }), 'missing'],
    ['something more', (given) => ({ ...given, more: 1 }), 'unknown field'],
  ])('RPLY-012 is refused with %s', (_name, change, sentence) => {
    expect(checkReceipt(entry, change(inputs))).toMatchObject({ ok: false, error: { message: expect.stringContaining(sentence) } });
  });

  test.each<[string, (body: string) => string]>([
    ['has one field more', (body) => body.replace('"verdict":{', '"verdict":{"aaa":1,')],
    ['has another form', (body) => body.replace('"durability":"synced"', '"durability":"never"')],
    ['is of another type', (body) => body.replace('countersign.receipt.v1', 'countersign.outcome.v1')],
  ])('RPLY-012 is refused where the entry %s', (_name, change) => {
    const changed = readLeaf(utf8(change(canonicalize(entry))));
    if (!changed.ok) throw new Error('the change made no entry');
    expect(checkReceipt(changed.value, inputs).ok).toBe(false);
  });
});
