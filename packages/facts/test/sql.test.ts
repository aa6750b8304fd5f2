import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { createParsers, type Parsers } from '../src/parsers.ts';
import { readFragment } from '../src/sql-fragment.ts';
import { SQL_LIMITS } from '../src/sql-limits.ts';
import { readTokens } from '../src/sql-tokens.ts';
import { createSqlReader, looksLikeSql, type SqlReader, type SqlReading } from '../src/sql.ts';
import { wasmBytes } from './wasm-bytes.ts';

interface Expected {
  readonly kind: string;
  readonly tables: readonly string[];
  readonly object?: string;
  readonly flags: readonly string[];
  readonly features: readonly string[];
  readonly by: string;
  readonly fragment: boolean;
}

const vectors = JSON.parse(readFileSync(new URL('../../../vectors/facts/sql.json', import.meta.url), 'utf8')) as {
  cases: readonly { readonly text: string; readonly statements: readonly Expected[] }[];
};
const PATH = '/params/sql';
let parsers: Parsers;
let reader: SqlReader;

beforeAll(async () => {
  parsers = await createParsers(wasmBytes());
  reader = createSqlReader(parsers.sql);
});

function read(text: string): SqlReading {
  return reader.readSql(text, { span: { path: PATH, start: 0, end: text.length }, layers: [] });
}

function shown(text: string): readonly Expected[] {
  return read(text).statements.map((one) => ({
    kind: one.kind,
    tables: one.tables,
    flags: [one.hasLimit ? 'limit' : '', one.star ? 'star' : '', one.tautology ? 'tautology' : '', one.hasWhere ? 'where' : ''].filter(
      (flag) => flag !== '',
    ),
    features: one.features,
    by: one.by,
    fragment: one.fragment,
    ...(one.object === undefined ? {} : { object: one.object }),
  }));
}

describe('vectors', () => {
  test('there are many', () => expect(vectors.cases.length).toBeGreaterThanOrEqual(180));

  test.each(vectors.cases.filter((one) => one.statements.length > 0).map((one) => [one.text, one.statements] as const))(
    '%j',
    (text, statements) => {
      expect(shown(text)).toEqual(statements);
    },
  );

  test.each(vectors.cases.filter((one) => one.statements.length === 0).map((one) => one.text))('no SQL: %j', (text) => {
    expect(looksLikeSql(text)).toBe(false);
    expect(readFragment(text).fragment).toBeUndefined();
  });

  test('every fragment of the vectors is noticed without being told', () => {
    for (const one of vectors.cases)
      if (one.statements.some((statement) => statement.fragment)) expect([one.text, looksLikeSql(one.text)]).toEqual([one.text, true]);
  });
});

describe('spans', () => {
  test('of statements, in UTF-16 units', () => {
    expect(read("select 'é😀'; drop table t").statements.map((one) => [one.span.start, one.span.end])).toEqual([
      [0, 12],
      [14, 26],
    ]);
  });

  test('of statements read by tokens', () => {
    expect(read('select `a`; drop table `t`').statements.map((one) => [one.span.start, one.span.end])).toEqual([
      [0, 10],
      [12, 26],
    ]);
  });

  test('of a fragment are the whole leaf, of decoded text the whole source', () => {
    expect(read('1 or 1=1').statements[0]?.span).toEqual({ path: PATH, start: 0, end: 8 });
    const span = { path: PATH, start: 3, end: 90 };
    expect(reader.readSql('drop table t', { span, layers: ['url'] }).statements[0]?.span).toEqual(span);
  });
});

describe('properties', () => {
  const alphabet = fc.constantFrom(
    ...'a1 \'"`;()=<>-#/*\\@[],.|&'.split(''),
    'select ',
    ' from t ',
    ' or ',
    ' and ',
    'union ',
    '/*',
    '*/',
    '--',
    '\n',
    ' where ',
    'drop table ',
    "' or '",
    '1=1',
    '$$',
    '0x41',
  );
  const sqlish = fc.array(alphabet, { maxLength: 50 }).map((pieces) => pieces.join(''));

  test('total: any text is read, spans lie inside it', () => {
    fc.assert(
      fc.property(fc.oneof(sqlish, fc.string({ unit: 'binary', maxLength: 200 })), (text) => {
        const { statements } = read(text);
        for (const one of statements) {
          expect(one.span.start).toBeGreaterThanOrEqual(0);
          expect(one.span.start).toBeLessThanOrEqual(one.span.end);
          expect(one.span.end).toBeLessThanOrEqual(text.length);
          expect([...one.features].sort()).toEqual(one.features);
        }
        expect(typeof looksLikeSql(text)).toBe('boolean');
      }),
      { numRuns: 1500 },
    );
  });

  test('tokens cover the text in order and never overlap', () => {
    fc.assert(
      fc.property(sqlish, (text) => {
        let end = 0;
        for (const token of readTokens(text).tokens) {
          expect(token.start).toBeGreaterThanOrEqual(end);
          expect(token.end).toBeGreaterThan(token.start);
          end = token.end;
        }
        expect(end).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 500 },
    );
  });

  const name = fc.stringMatching(/^[a-z][a-z0-9]{2,8}$/).map((text) => `t_${text}`);
  const statement = fc.oneof(
    name.map((t) => `delete from ${t}`),
    name.map((t) => `drop table ${t}`),
    name.map((t) => `select * from ${t} where id = 1`),
    name.map((t) => `update ${t} set a = 1`),
    name.map((t) => `insert into ${t} (a) values (1)`),
  );

  test('grammar and tokens agree on what both can read', () => {
    const deaf = createSqlReader({ parse: () => ({ ok: false, message: 'deaf' }) });
    fc.assert(
      fc.property(fc.array(statement, { minLength: 1, maxLength: 4 }), (list) => {
        const text = list.join('; ');
        const tokens = deaf.readSql(text, { span: { path: PATH, start: 0, end: text.length }, layers: [] }).statements;
        expect(tokens.map((one) => ({ ...one, by: 'parser' }))).toEqual(read(text).statements);
      }),
    );
  });

  test('case, space and comments change nothing but the comment', () => {
    const space = fc.constantFrom(' ', '\t', '\n', '\u00a0', '/**/', ' /* x */ ', '--x\n');
    fc.assert(
      fc.property(statement, space, fc.boolean(), (text, gap, upper) => {
        const varied = (upper ? text.toUpperCase() : text).replaceAll(' ', gap);
        const plain = ({ kind, tables, hasWhere, tautology }: SqlReading['statements'][number]): object => ({
          kind,
          tables,
          hasWhere,
          tautology,
        });
        expect(read(varied).statements.map(plain)).toEqual(read(text).statements.map(plain));
      }),
    );
  });

  test('a condition that is always true is always seen', () => {
    const truth = fc.oneof(
      fc.nat(99).map((n) => `${n}=${n}`),
      fc.stringMatching(/^[a-z]{1,5}$/).map((text) => `'${text}'='${text}'`),
      fc.constantFrom('true', 'id=id', '2>1', '1<>2'),
    );
    const opener = fc.constantFrom("' or ", '1 or ', "x') or (", '") or ', "' || ");
    fc.assert(
      fc.property(truth, opener, (condition, start) => {
        expect(read(`delete from t where ${condition}`).statements[0]?.tautology).toBe(true);
        expect(read(`delete from t where a = 1 or ${condition}`).statements[0]?.tautology).toBe(true);
        fc.pre(condition !== 'true' || !start.includes('||'));
        expect(read(`${start}${condition} -- `).statements[0]).toMatchObject({ fragment: true, tautology: true });
      }),
    );
  });

  test('words without SQL shapes are never a fragment', () => {
    // An operator behind an apostrophe is a SQL shape: `it's or's a` reads like `' or 's a`.
    const operator = /^(?:or|and|xor|div|mod|in|is|like|between|having|where|r?like|regexp)\b/;
    const word = fc.stringMatching(/^[a-z]{1,9}('s)?[,.!?]?$/).filter((text) => !operator.test(text));
    const words = fc.array(word, { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(words, (list) => {
        expect(readFragment(list.join(' ')).fragment).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});

describe('linear time, by count', () => {
  const hostile = [
    'select(',
    '(',
    "'",
    '"',
    '`',
    '[',
    'select ',
    '/*',
    '*/',
    '--',
    '#',
    ';',
    'or ',
    'or(',
    'or 1=',
    ' or 1=1',
    '$a$',
    '$$',
    '@',
    '1',
    '1.',
    '\\',
    '\u00a0',
    'union ',
    ' and(',
    'a.',
    'with x as (',
    ', a',
    '/*!',
    '0x',
    'from a,',
    '; select ',
  ];
  test.each(hostile)('%j', (unit) => {
    for (const size of [65_536, 1_048_576]) {
      for (const head of ['', 'select ']) {
        const text = (head + unit.repeat(Math.ceil(size / unit.length))).slice(0, size);
        expect(read(text).steps).toBeLessThanOrEqual(Math.min(size * 40, 3_000_000));
      }
    }
  });
});

describe('limits, at n and n + 1', () => {
  test('length of a text read whole', () => {
    const make = (size: number): SqlReading => read(`select 1;${' '.repeat(size - 21)}drop table t`);
    expect([make(SQL_LIMITS.textCharsMax).cut, make(SQL_LIMITS.textCharsMax).statements.length]).toEqual([false, 2]);
    const over = make(SQL_LIMITS.textCharsMax + 1);
    expect([over.cut, over.statements.at(-1)?.kind, over.statements.at(-1)?.span.end]).toEqual([true, 'drop', SQL_LIMITS.textCharsMax + 1]);
  });

  test('length the grammar sees', () => {
    const make = (size: number): string | undefined => read(`select '${'x'.repeat(size - 9)}'`).statements[0]?.by;
    expect([make(SQL_LIMITS.grammarCharsMax), make(SQL_LIMITS.grammarCharsMax + 1)]).toEqual(['parser', 'tokens']);
  });

  test('nesting the grammar sees', () => {
    const make = (depth: number): string | undefined => read(`select ${'('.repeat(depth)}1${')'.repeat(depth)}`).statements[0]?.by;
    expect([make(SQL_LIMITS.grammarDepthMax), make(SQL_LIMITS.grammarDepthMax + 1)]).toEqual(['parser', 'tokens']);
  });

  test('tokens the grammar sees', () => {
    const make = (tokens: number): string | undefined => read(`select 1${',1'.repeat((tokens - 2) / 2)}`).statements[0]?.by;
    expect([make(SQL_LIMITS.grammarTokensMax), make(SQL_LIMITS.grammarTokensMax + 2)]).toEqual(['parser', 'tokens']);
  });

  test('statements of one text', () => {
    for (const one of ['select 1;', 'select `a`;']) {
      const at = read(one.repeat(SQL_LIMITS.statementsMax));
      const over = read(one.repeat(SQL_LIMITS.statementsMax + 1));
      expect([at.cut, at.statements.length, over.cut, over.statements.length]).toEqual([
        false,
        SQL_LIMITS.statementsMax,
        true,
        SQL_LIMITS.statementsMax,
      ]);
    }
  });

  test('tables of one statement', () => {
    const make = (count: number): number =>
      read(`select 1 from ${Array.from({ length: count }, (_, i) => `t${i}`).join(',')}`).statements[0]?.tables.length ?? 0;
    expect([make(SQL_LIMITS.tablesMax), make(SQL_LIMITS.tablesMax + 1)]).toEqual([SQL_LIMITS.tablesMax, SQL_LIMITS.tablesMax]);
  });

  test('words are what the Unicode expression says, also where no expression was asked', () => {
    const parts = fc.constantFrom(
      'a',
      'Z',
      '_',
      '0',
      'a$',
      '\u00e9',
      '\u212a',
      '\u{1f600}',
      '\ud83d',
      ' ',
      '\n',
      '\0',
      '\u007f',
      '\u00a0',
      '\u200b',
      '.',
      ';',
      '=',
      '(',
    );
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 24 }), (list) => {
        const text = list.join('');
        const words = readTokens(text).tokens.filter(({ kind }) => kind === 'word');
        const expected = [...text.matchAll(/[\p{L}_][\p{L}\p{N}_$]*/gu)].map((found) => [found.index, found[0].toLowerCase()]);
        expect(words.map((word) => [word.start, word.text])).toEqual(expected);
      }),
    );
  });

  test('tokens of one text', () => {
    expect(readTokens(';'.repeat(SQL_LIMITS.tokensMax)).cut).toBe(false);
    expect(readTokens(';'.repeat(SQL_LIMITS.tokensMax + 1)).cut).toBe(true);
  });

  test('length looked at as a fragment: the middle is given up, and it says so', () => {
    const make = (size: number): SqlReading => read(`${'x'.repeat(size - 8)}1 or 1=1`.replace('x1', 'x '));
    expect(make(SQL_LIMITS.fragmentCharsMax).cut).toBe(false);
    const over = read(`${'x '.repeat(SQL_LIMITS.fragmentCharsMax)}' or 1=1 --`);
    expect([over.cut, over.statements[0]?.fragment]).toEqual([true, true]);
  });
});

describe('the grammar', () => {
  test('is libpg-query 18.1.5 to the letter', () => {
    const parsed = parsers.sql.parse('select 1');
    expect(parsed.ok && (JSON.parse(parsed.json) as { version: number }).version).toBe(180_004);
    expect(parsers.sql.parse('select from from')).toEqual({ ok: false, message: 'syntax error at or near "from"' });
  });

  test('survives what breaks it', () => {
    expect(parsers.sql.parse(`select ${'('.repeat(200_000)}`).ok).toBe(false);
    expect(parsers.sql.parse('select \0 1').ok).toBe(false);
    expect(parsers.sql.parse('select 1').ok).toBe(true);
  });

  test('says a stable code when the bytes are not it', async () => {
    const bytes = wasmBytes();
    await expect(createParsers({ ...bytes, pgQuery: new Uint8Array(8) })).rejects.toMatchObject({ code: 'sql_grammar_invalid' });
    await expect(createParsers({ ...bytes, bash: new Uint8Array(8) })).rejects.toMatchObject({ code: 'shell_grammar_invalid' });
  });
});
