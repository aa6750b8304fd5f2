/** Names that pass for others are refused; scopes have their form. */
import { describe, expect, test } from 'vitest';
import { checkAgentName, foldName } from '../src/agent-name.ts';
import { mayBecome } from '../src/agent-lifecycle.ts';
import { registrationOf } from '../src/tool-registration.ts';

const ZERO_WIDTH = String.fromCodePoint(0x200b);
const JOINER = String.fromCodePoint(0x200d);
const BIDI = String.fromCodePoint(0x202e);
const CYRILLIC_A = String.fromCodePoint(0x430);
const CYRILLIC_O = String.fromCodePoint(0x43e);

describe('agent names', () => {
  test.each(['billing-bot', 'Team A / crawler', 'агент склада', 'αβγδ', '支払いボット', '결제봇', 'çalışan', 'a', '007', 'müller@host:1'])(
    'accepted: %s',
    (name) => {
      expect(checkAgentName(name)).toMatchObject({ ok: true });
    },
  );

  test.each([
    ['emoji', 'bot🤖'],
    ['zero width space', `b${ZERO_WIDTH}ot`],
    ['zero width joiner', `b${JOINER}ot`],
    ['bidi override', `b${BIDI}ot`],
    ['one Cyrillic letter among Latin ones', `p${CYRILLIC_A}yments`],
    ['Greek among Latin', 'αgent'],
    ['all letters look Latin', CYRILLIC_A + CYRILLIC_O],
    ['full width', 'ｂｏｔ'],
    ['ligature', 'ﬁnance'],
    ['control', 'a\u0007'],
    ['newline', 'a\nb'],
    ['lone surrogate', '\ud800'],
    ['leading space', ' bot'],
    ['trailing space', 'bot '],
    ['empty', ''],
    ['symbol', 'bot™'],
    ['script without support', 'ᚠᚢᚦ'],
  ])('refused: %s', (_, name) => {
    expect(checkAgentName(name)).toMatchObject({ ok: false, error: { code: 'invalid_name', path: '/name' } });
  });

  test('names that differ in case or separators only are the same', () => {
    expect(new Set(['Billing Bot', 'billing-bot', 'BILLING_BOT', 'billing.bot'].map(foldName)).size).toBe(1);
    expect(foldName('billing bot')).not.toBe(foldName('billingbot'));
  });
});

test('an agent changes state only as an operator may', () => {
  const states = ['active', 'suspended', 'killed'] as const;
  const table = states.map((from) => states.map((to) => mayBecome(from, to)));
  expect(table).toEqual([
    [true, true, true],
    [true, true, true],
    [false, false, true],
  ]);
});

describe('registration of a tool', () => {
  const row = (hash: string, status: 'approved' | 'pending', scope: string | null = null) => ({
    org: 'o',
    tool: 't',
    hash,
    status,
    scope,
    firstSeenMs: 0,
  });
  test.each([
    ['no rows', [], 'h', undefined],
    ['the approved descriptor', [row('h', 'approved')], 'h', 'registered'],
    ['another than the approved one', [row('h', 'approved')], 'x', 'mismatch'],
    ['another that is pending beside the approved one', [row('h', 'approved'), row('x', 'pending')], 'x', 'mismatch'],
    ['none said, one approved', [row('h', 'approved')], undefined, 'registered'],
    ['none said, none approved', [row('h', 'pending')], undefined, 'pending'],
    ['the pending one', [row('h', 'pending')], 'h', 'pending'],
    ['another than the pending one', [row('h', 'pending')], 'x', 'mismatch'],
    ['first seen without a descriptor', [row('', 'pending')], 'x', 'pending'],
    ['approved for every descriptor', [row('', 'approved'), row('h', 'pending')], 'x', 'registered'],
    ['approved for every descriptor, and pinned too', [row('', 'approved'), row('h', 'approved')], 'x', 'registered'],
  ] as const)('%s', (...[, rows, hash, expected]) => {
    expect(registrationOf(rows, hash).registration).toBe(expected);
  });

  test('the scope is that of the row that speaks', () => {
    expect(registrationOf([row('', 'approved', 'a:b:c'), row('h', 'approved', 'd:e:f')], 'h')).toEqual({
      registration: 'registered',
      scope: 'd:e:f',
    });
    expect(registrationOf([row('', 'approved', 'a:b:c'), row('h', 'approved', 'd:e:f')], 'x')).toEqual({
      registration: 'registered',
      scope: 'a:b:c',
    });
  });
});
