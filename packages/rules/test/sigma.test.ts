/** Sigma rules as rules: each modifier and operator of conditions, what is left out and what is refused, and a dull second reader of conditions. */
import type { CommandFact, Facts, HostFact, PathFact } from '@countersign/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compileRules,
  importSigma,
  matchRules,
  mergeRuleDocuments,
  parseRules,
  RULE_LIMITS,
  SIGMA_LIMITS,
  sigmaDocument,
} from '../src/index.ts';
import { action, command, NO_FACTS, text } from './actions.ts';

interface Imported {
  readonly status: string;
  readonly remarks: readonly string[];
  /** Whether the rule finds something in these facts. */
  finds(facts: Partial<Facts>, kind?: string): boolean;
}

function imported(yaml: string): Imported {
  const [outcome] = importSigma([{ name: 'r.yml', text: yaml }]);
  const remarks = (outcome?.remarks ?? []).map((remark) => `${remark.path}: ${remark.why}`);
  const draft = outcome?.draft;
  if (draft === undefined) return { status: outcome?.status ?? '', remarks, finds: () => false };
  const made = { draft, examples: { positive: [{ shell: 'x' }], negative: [{ shell: 'y' }] } };
  const read = parseRules(sigmaDocument([made], { pack: 'sigma', description: 'd' }), 'sigma.yaml');
  const merged = read.ok ? mergeRuleDocuments([read.value]) : read;
  const compiled = merged.ok ? compileRules(merged.value, { level: 4 }) : merged;
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
  const finds = (facts: Partial<Facts>, kind = 'shell.exec'): boolean =>
    matchRules(compiled.value, { action: action(kind), facts: { ...NO_FACTS, ...facts } }).findings.length > 0;
  return { status: outcome?.status ?? '', remarks, finds };
}

function rule(detection: string, category = 'process_creation'): Imported {
  return imported(`title: t\nlogsource: {category: ${category}}\ndetection:\n${detection.replaceAll(/^/gm, '  ')}\n`);
}

/** A rule of one selection with one item. */
function item(key: string, value: string, category?: string): Imported {
  return rule(`s:\n  ${key}: ${value}\ncondition: s`, category);
}

const line = (written: string, more: Partial<CommandFact> = {}): Partial<Facts> => ({ commands: [command(written, more)] });
const SPAN = { path: '/params/x', start: 0, end: 1 };
function path(normalized: string, access: PathFact['access'] = 'write'): Partial<Facts> {
  return { paths: [{ span: SPAN, raw: normalized, normalized, access, traversal: false, layers: [], command: -1 }] };
}
function host(name: string, more: Partial<HostFact> = {}): Partial<Facts> {
  return { hosts: [{ span: SPAN, raw: name, host: name, oddities: [], access: 'connect', command: -1, ...more }] };
}

describe('SIG-010 modifiers of text', () => {
  it.each<[string, string, readonly string[], readonly string[]]>([
    ['CommandLine', "'curl -s X'", ['curl -s x', 'Curl -S X'], ['curl -s xx', 'a curl -s x']],
    ['CommandLine|contains', "' -S '", ['curl -s x'], ['curl -sx', 'curl -x']],
    ['CommandLine|startswith', 'curl -', ['curl -s'], ['a curl -s']],
    ['CommandLine|endswith', '.SH', ['run a.sh'], ['run a.sh x']],
    ['CommandLine|contains', '[aaa, bbb]', ['x aaa', 'x bbb'], ['x aa']],
    ['CommandLine|contains|all', '[aaa, bbb]', ['x bbb aaa'], ['x aaa', 'x bbb']],
    ['CommandLine', "'a*z ?'", ['abcz q', 'az q'], ['az', 'az qq', 'b az q']],
    ['CommandLine', "'*a\\*b*'", ['x a*b'], ['x a1b']],
    ['CommandLine', "'*a\\?b*'", ['x a?b'], ['x a1b']],
    ['CommandLine|contains', "'a\\\\*b'", ['x a\\1b', 'x a\\b'], ['x a*b', 'x a1b']],
    ['CommandLine|contains', "'c:\\temp'", ['x C:\\Temp\\y'], ['x c:temp']],
    ['CommandLine|contains|cased', 'IEX', ['x IEX'], ['x iex', 'x Iex']],
    ['CommandLine|re', "'IEX\\s+[A-Z]{2}$'", ['x IEX AB'], ['x iex AB', 'x IEX ab', 'x IEX AB c']],
    ['CommandLine|re|i', "'IEX\\s+[A-Z]{2}$'", ['x iex ab', 'x IEX AB'], ['x iex a']],
    ['CommandLine|re', "'(?i)iex'", ['x IEX'], ['x ie']],
    ['CommandLine|contains|windash', "' -enc '", ['p -enc a', 'p /enc a', 'p \u2013enc a'], ['p enc a', 'p +enc a']],
    ['CommandLine|contains', '42', ['x 42'], ['x 43']],
    ['CommandLine|exists', 'true', ['x'], []],
    ['Image|endswith', "'\\Reg.exe'", ['reg add'], ['regedit a', 'xreg add']],
    ['Image|endswith', "'/curl'", ['curl x'], ['xcurl x']],
    ['Image|contains', 'python', ['python3 x', 'python'], ['perl x']],
    ['Image', "'*/curl'", ['curl x'], ['wget x']],
    ['Image', "['/usr/bin/curl', '/usr/bin/wget']", ['curl x', 'wget y'], ['nc z']],
  ])('%s: %s', (...[key, value, found, left]) => {
    const made = item(key, value);
    expect([made.status, made.remarks]).toEqual(['imported', []]);
    for (const one of found) expect([one, made.finds(line(one))]).toEqual([one, true]);
    for (const one of left) expect([one, made.finds(line(one))]).toEqual([one, false]);
  });

  it('a program that was written as a path is held against the folder that the rule names', () => {
    const exact = item('Image', "'/usr/bin/curl'");
    expect(exact.finds(line('curl x', { program: '/usr/bin/curl' }))).toBe(true);
    expect(exact.finds(line('curl x', { program: '/tmp/curl' }))).toBe(false);
    const folder = item('Image|startswith', "'/tmp/'");
    expect(folder.finds(line('curl x', { program: '/tmp/curl' }))).toBe(true);
    expect(folder.finds(line('curl x'))).toBe(false);
    const windows = item('Image|endswith', "'\\Temp\\a.exe'");
    expect(windows.finds(line('a x', { program: 'C:/Temp/a.exe' }))).toBe(true);
  });

  it('a parent is a wrapper', () => {
    const made = item('ParentImage|endswith', "['/bash', '\\cmd.exe']");
    for (const wrapper of ['bash -c', 'bash', 'cmd /c']) expect(made.finds(line('id', { wrappers: [wrapper] }))).toBe(true);
    for (const wrapper of ['bashful', 'sudo']) expect(made.finds(line('id', { wrappers: [wrapper] }))).toBe(false);
  });

  it('nothing is an empty or absent value', () => {
    const made = item('c-uri', '[null, "http://a.example/x"]', 'proxy');
    expect(made.finds(host('a.example'))).toBe(true);
    expect(made.finds(host('a.example', { url: 'http://a.example/x' }))).toBe(true);
    expect(made.finds(host('a.example', { url: 'http://a.example/y' }))).toBe(false);
    expect(item('c-uri|exists', 'false', 'proxy').finds(host('a.example'))).toBe(true);
  });
});

describe('SIG-011 files, hosts, texts', () => {
  it.each([
    ['file_event', 'write'],
    ['file_change', 'write'],
    ['file_rename', 'write'],
    ['file_delete', 'delete'],
    ['file_access', 'read'],
  ] as const)('%s is a path that is touched with %s', (category, access) => {
    const made = item('TargetFilename|endswith', "'\\.ssh\\authorized_keys'", category);
    expect(made.finds(path('/root/.ssh/authorized_keys', access))).toBe(true);
    expect(made.finds(path('/root/.ssh/authorized_keys', 'mention'))).toBe(false);
    expect(made.finds(path('/root/.ssh/id', access))).toBe(false);
  });

  it.each<[string, string, readonly string[], readonly string[]]>([
    ['DestinationIp|cidr', "'10.0.0.0/8'", ['10.1.2.3', '10.255.255.255'], ['11.0.0.1', '110.0.0.1']],
    ['DestinationIp|cidr', "'172.16.0.0/12'", ['172.16.0.1', '172.31.255.1'], ['172.15.0.1', '172.32.0.1']],
    ['DestinationIp|cidr', "'192.168.7.130/25'", ['192.168.7.128', '192.168.7.255'], ['192.168.7.127', '192.168.8.128']],
    ['DestinationIp|cidr', "'1.2.3.4/32'", ['1.2.3.4'], ['1.2.3.5', '1.2.3.40']],
    ['DestinationIp|cidr', "'0.0.0.0/0'", ['8.8.8.8'], ['a.example']],
    ['DestinationIp|cidr', "['10.0.0.0/8', '127.0.0.0/8']", ['127.0.0.1'], ['128.0.0.1']],
    ['DestinationHostname|endswith', '.Evil.example', ['a.evil.example'], ['evil.example.org']],
    ['DestinationHostname|re', "'^[A-Z]{3}\\.example$'", ['abc.example'], ['ab.example']],
  ])('%s: %s', (...[key, value, found, left]) => {
    const made = item(key, value, 'network_connection');
    expect([made.status, made.remarks]).toEqual(['imported', []]);
    for (const one of found) expect([one, made.finds(host(one))]).toEqual([one, true]);
    for (const one of left) expect([one, made.finds(host(one))]).toEqual([one, false]);
  });

  it.each<[string, string, readonly number[], readonly number[]]>([
    ['DestinationPort', '[22, 443]', [22, 443], [23, 80]],
    ['DestinationPort|gt', '1024', [1025, 65_535], [1024]],
    ['DestinationPort|gte', '1024', [1024], [1023]],
    ['DestinationPort|lt', '1024', [1023, 0], [1024]],
    ['DestinationPort|lte', '1024', [1024], [1025]],
  ])('%s: %s', (...[key, value, found, left]) => {
    const made = item(key, value, 'network_connection');
    for (const port of found) expect([port, made.finds(host('a.example', { port }))]).toEqual([port, true]);
    for (const port of left) expect([port, made.finds(host('a.example', { port }))]).toEqual([port, false]);
    expect(made.finds(host('a.example'))).toBe(false);
  });

  it('two tests of one number hold together, or the rule is refused', () => {
    const between = rule('s: {DestinationPort|gte: 10, DestinationPort|lt: 20}\ncondition: s', 'network_connection');
    expect([9, 10, 19, 20].map((port) => between.finds(host('h', { port })))).toEqual([false, true, true, false]);
    const never = rule('s: {DestinationPort|gte: 20, DestinationPort|lt: 20}\ncondition: s', 'network_connection');
    expect([never.status, never.remarks]).toEqual(['refused', ['detection: nothing can fulfil it']]);
  });

  it.each([
    ['dns', 'query', 'a.example'],
    ['dns_query', 'QueryName', 'a.example'],
    ['firewall', 'dst_ip', '1.2.3.4'],
    ['proxy', 'cs-host', 'a.example'],
  ])('%s: %s is a host', (category, field, value) => {
    expect(item(field, value, category).finds(host(value))).toBe(true);
    expect(item(field, value, category).finds(host('b.example'))).toBe(false);
    expect(item(field, value, category).finds(host(value, { access: 'mention' }))).toBe(false);
  });

  it('the program of a connection is that of its command', () => {
    const made = rule("s: {Image|endswith: '/nc', DestinationPort: 4444, Initiated: 'true'}\ncondition: s", 'network_connection');
    const facts = (name: string): Partial<Facts> => ({
      ...line(`${name} a.example 4444`),
      ...host('a.example', { port: 4444, command: 0 }),
    });
    expect([made.finds(facts('nc')), made.finds(facts('curl'))]).toEqual([true, false]);
  });

  it('`input` and keywords are every text of the action, whatever the log source of `input` is', () => {
    const input = item('input|contains', "'Drop Table'", 'ai_agent');
    expect(input.finds({ texts: [text('x'), text('please drop table a')] }, 'prompt.input')).toBe(true);
    expect(input.finds({ texts: [text('drop the table')] }, 'prompt.input')).toBe(false);
    const all = item('input|contains|all', '[alpha, beta]', 'ai_agent');
    expect(all.finds({ texts: [text('alpha'), text('the beta')] })).toBe(true);
    expect(all.finds({ texts: [text('alpha')] })).toBe(false);
    expect(item('input|startswith', 'alpha', 'ai_agent').finds({ texts: [text('an alpha')] })).toBe(false);
    expect(item('input|re', "'AKIA[0-9A-Z]{4}'", 'ai_agent').finds({ texts: [text('akia1234')] })).toBe(false);
    expect(item('input|re', "'AKIA[0-9A-Z]{4}'", 'ai_agent').finds({ texts: [text('AKIA1234')] })).toBe(true);
    const words = imported('title: t\nlogsource: {product: x}\ndetection:\n  keywords: [alpha*omega, beta]\n  condition: keywords\n');
    expect(words.finds({ texts: [text('an Alpha to Omega')] })).toBe(true);
    const both = rule("'s': {'|all': [alpha, beta]}\ncondition: s");
    expect([both.finds({ texts: [text('alpha beta')] }), both.finds({ texts: [text('alpha')] })]).toEqual([true, false]);
  });

  it('fields and texts in one rule', () => {
    const made = rule("s: {Image|endswith: '/git'}\nk: [alpha]\ncondition: s and not k");
    expect(made.finds({ ...line('git x'), texts: [text('x')] })).toBe(true);
    expect(made.finds({ ...line('git x'), texts: [text('alpha')] })).toBe(false);
    expect(made.finds({ ...line('ls x'), texts: [text('x')] })).toBe(false);
  });
});

describe('SIG-012 a Sigma event is one fact', () => {
  it('an exception lifts the command that it holds for, and no other', () => {
    const made = rule("s: {Image|endswith: '/rm'}\nf: {CommandLine|contains: /tmp}\ncondition: s and not f");
    expect(made.finds(line('rm /tmp/x'))).toBe(false);
    expect(made.finds({ commands: [command('rm /home'), command('ls /tmp')] })).toBe(true);
    expect(made.finds({ commands: [command('rm /tmp/a'), command('rm /home')] })).toBe(true);
  });
  it('selections that hold on two commands do not make one', () => {
    const made = rule("s: {Image|endswith: '/curl'}\nt: {CommandLine|contains: upload}\ncondition: s and t");
    expect(made.finds({ commands: [command('curl x'), command('echo upload')] })).toBe(false);
    expect(made.finds(line('curl upload'))).toBe(true);
  });
});

describe('SIG-003 SIG-013 what cannot be seen', () => {
  it('an alternative is left out, and said', () => {
    const made = rule("s:\n  - Image|endswith: '/curl'\n  - OriginalFileName: curl.exe\ncondition: s");
    expect([made.status, made.remarks]).toEqual(['partly', ['detection.s[1].OriginalFileName: no action shows `OriginalFileName`']]);
    expect(made.finds(line('curl x'))).toBe(true);
  });
  it('an exception is left out, and said: the rule finds more', () => {
    const made = rule("s: {Image|endswith: '/curl'}\nf: {User: root, CommandLine: x}\ncondition: s and not f");
    expect([made.status, made.remarks]).toEqual(['partly', ['detection.f.User: no action shows `User`']]);
  });
  it.each([
    ['what it needs', 's: {CommandLine: x, User: root}\ncondition: s', 'detection.s.User: no action shows `User`'],
    ['an expression that could explode', "s: {CommandLine|re: '(a+)+$'}\ncondition: s", 'the expression is refused: an endless repetition'],
    ['a back-reference', "s: {CommandLine|re: '(a)\\1'}\ncondition: s", 'back-references are not supported'],
    ['a range with no lower case', "s: {CommandLine|re|i: '[A-z]x'}\ncondition: s", 'has no lower case'],
    ['the case of a program', "s: {Image|endswith|cased: '/Curl'}\ncondition: s", 'the case of a program is not kept'],
    ['a folder of a parent', "s: {ParentImage|startswith: '/tmp'}\ncondition: s", 'a parent is known by its name only'],
    ['IPv6', 's: {CommandLine|cidr: "fe80::/10"}\ncondition: s', 'only IPv4 networks'],
    ['everything', "s: {CommandLine|contains: '*'}\ncondition: s", 'it would hold for everything'],
    ['everything but', 's: {CommandLine: x}\ncondition: not s', 'it would hold for everything'],
    ['an unknown modifier', 's: {CommandLine|base64offset|contains: x}\ncondition: s', 'the modifier `base64offset` is not known'],
    ['a wrong pair of modifiers', 's: {CommandLine|re|contains: x}\ncondition: s', '`re` stands alone'],
    ['an empty selection', 's: {}\ncondition: s', 'a selection is empty'],
    ['an empty list', 's: {CommandLine: []}\ncondition: s', 'a list of values is empty'],
    ['nesting in a value', 's: {CommandLine: [[x]]}\ncondition: s', 'a value must be text'],
    ['a timeframe', 's: {CommandLine: x}\ntimeframe: 5m\ncondition: s', 'looks at many events'],
    ['no condition', 's: {CommandLine: x}', 'detection.condition: must be a text'],
  ])('%s is refused', (_, detection, why) => {
    const made = rule(detection);
    expect([made.status, made.remarks]).toEqual(['refused', [expect.stringContaining(why)]]);
  });
  it.each([
    ['a text without a literal', "title: t\ndetection:\n  s: {input|re: '[a-z]+'}\n  condition: s\n", 'a literal of at least 3'],
    ['a level', 'title: t\nlevel: loud\ndetection: {s: {input: x}, condition: s}\n', 'level: must be one of'],
    ['a status', 'title: t\nstatus: deprecated\ndetection: {s: {input: abc}, condition: s}\n', 'are not imported'],
    ['a correlation', 'title: t\ncorrelation: {type: event_count}\n', 'joins several rules'],
    [
      'a log source field',
      'title: t\nlogsource: {kategory: x}\ndetection: {s: {input: abc}, condition: s}\n',
      'logsource.kategory: is not known',
    ],
    ['keywords of a log file', 'title: t\nlogsource: {service: sshd}\ndetection: {k: [abc], condition: k}\n', 'the log `sshd` is nothing'],
    ['no YAML', 'title: [', 'not YAML'],
    ['a tag', 'title: !x y\n', 'tags are not used'],
    ['no map', '- a\n', 'a Sigma rule is a map'],
    ['nothing', '', 'holds no rule'],
    ['no name', 'detection: {s: {input: abc}, condition: s}\n', 'id: a rule needs an id or a title'],
    ['deep nesting', `a: ${'['.repeat(100)}`, 'nested too deeply'],
  ])('%s is refused', (_, yaml, why) => {
    const made = imported(yaml);
    expect([made.status, made.remarks]).toEqual(['refused', [expect.stringContaining(why)]]);
  });
});

describe('SIG-014 level, status, tags, id', () => {
  const of = (head: string): object | undefined =>
    importSigma([{ name: 'r.yml', text: `title: A Rule (of ours)\n${head}\ndetection: {s: {input: abc}, condition: s}\n` }])[0]?.draft;
  it.each([
    ['informational', 'info', 0.1, 0.2],
    ['low', 'low', 0.25, 0.4],
    ['medium', 'medium', 0.45, 0.6],
    ['high', 'high', 0.65, 0.85],
    ['critical', 'critical', 0.85, 0.95],
  ])('%s is %s with %d in a log, and %d in what agents do', (...[level, severity, hunting, agents]) => {
    expect(of(`level: ${level}`)).toMatchObject({ severity, score: agents, level: 1 });
    expect(of(`level: ${level}\nlogsource: {category: process_creation}`)).toMatchObject({ severity, score: hunting, level: 1 });
  });
  it('reads the rest', () => {
    expect(of('status: experimental')).toMatchObject({
      level: 2,
      severity: 'medium',
      id: 'sigma.a-rule-of-ours',
      category: 'sigma-text',
      kinds: ['any'],
    });
    expect(of('id: 0AAAAAAA-1111-4222-8333-444444444444\nauthor: A\nlicense: L\nreferences: [R]')).toMatchObject({
      id: 'sigma.0aaaaaaa-1111-4222-8333-444444444444',
      credit: 'A, L, R',
    });
    expect(of('tags: [attack.execution, attack.t1059.004, attack.T1027, atlas.aml.t0051, cwe.89, owasp.llm01, x]')).toMatchObject({
      tags: { atlas: ['T1059.004', 'T1027', 'AML.T0051'], cwe: ['CWE-89'], owasp: ['LLM01'] },
    });
  });
  it('SIG-003 a file holds several rules, and an id is used once', () => {
    const one = 'title: t\ndetection: {s: {input: abc}, condition: s}\n';
    const outcomes = importSigma([
      { name: 'a.yml', text: `${one}---\n${one}` },
      { name: 'b.yml', text: one },
    ]);
    expect(outcomes.map(({ file, status }) => [file, status])).toEqual([
      ['a.yml', 'imported'],
      ['a.yml', 'refused'],
      ['b.yml', 'refused'],
    ]);
  });
});

describe('SIG-015 limits, at n and n + 1', () => {
  const good = 'title: t\ndetection: {s: {input: abc}, condition: s}\n';
  it('characters of a file', () => {
    const filled = (size: number): string => `${good}#${'x'.repeat(size - good.length - 1)}`;
    expect(imported(filled(SIGMA_LIMITS.fileCharsMax)).status).toBe('imported');
    expect(imported(filled(SIGMA_LIMITS.fileCharsMax + 1)).remarks[0]).toContain('at most');
  });
  it('rules', () => {
    const many = (count: number): string => Array.from({ length: count }, (_, i) => `{title: t${i}}`).join('\n---\n');
    const last = (count: number): string => importSigma([{ name: 'a', text: many(count) }]).at(-1)?.remarks[0]?.why ?? '';
    expect(last(SIGMA_LIMITS.rulesMax)).not.toContain('more than');
    expect(last(SIGMA_LIMITS.rulesMax + 1)).toContain('more than');
  });
  const condition = (written: string): Imported => rule(`s: {CommandLine: abc}\ncondition: ${written}`);
  it('characters of a condition', () => {
    expect(condition(`'s${' '.repeat(SIGMA_LIMITS.conditionCharsMax - 2)}s'`).remarks[0]).toContain('should end');
    expect(condition(`'s${' '.repeat(SIGMA_LIMITS.conditionCharsMax - 1)}s'`).remarks[0]).toContain('characters');
  });
  it('nesting of a condition', () => {
    const nested = (depth: number): Imported => condition(`${'('.repeat(depth)}s${')'.repeat(depth)}`);
    expect(nested(SIGMA_LIMITS.conditionDepthMax).status).toBe('imported');
    expect(nested(SIGMA_LIMITS.conditionDepthMax + 1).remarks[0]).toContain('deep');
  });
  it('alternatives, examples', () => {
    const some = (count: number): string => {
      const maps = Array.from({ length: count }, (_, i) => `  - {CommandLine: a${i}, Image: b${i}}`).join('\n');
      return `title: t\nlogsource: {category: process_creation}\ndetection:\n  s:\n${maps.replaceAll(/^/gm, '  ')}\n  condition: s\n`;
    };
    const half = SIGMA_LIMITS.alternativesMax / 2;
    // A program that has no folder is a name or part of a path: two alternatives.
    expect(imported(some(half)).status).toBe('imported');
    expect(imported(some(half + 1)).remarks[0]).toContain('alternatives');
    expect(importSigma([{ name: 'r', text: some(half) }])[0]?.draft?.examples).toHaveLength(SIGMA_LIMITS.examplesMax);
  });
  it('a longer list of values is several tests', () => {
    const values = Array.from({ length: RULE_LIMITS.patternsMax + 1 }, (_, i) => `v${i}x`);
    const made = item('CommandLine|contains', `[${values.join(', ')}]`);
    expect(made.status).toBe('imported');
    for (const value of [values[0], values.at(-1)]) expect(made.finds(line(`a ${value ?? ''}`))).toBe(true);
  });
});

type Tree =
  | { readonly op: 'sel'; readonly name: string }
  | { readonly op: 'and' | 'or'; readonly items: readonly Tree[] }
  | { readonly op: 'not'; readonly item: Tree }
  | { readonly op: 'of'; readonly all: boolean; readonly pattern: string };

interface Matcher {
  readonly field: 'CommandLine' | 'Image';
  readonly how: 'contains' | 'startswith' | 'endswith' | '';
  readonly all: boolean;
  readonly values: readonly string[];
}
type Selection = readonly (readonly Matcher[])[];
interface Event {
  readonly name: string;
  readonly line: string;
}

/** Wildcards, the slow way. */
function like(value: string, pattern: string): boolean {
  if (pattern === '') return value === '';
  const [head, rest] = [pattern.charAt(0), pattern.slice(1)];
  if (head === '*') return like(value, rest) || (value !== '' && like(value.slice(1), pattern));
  return value !== '' && (head === '?' || head === value[0]) && like(value.slice(1), rest);
}

function matches(matcher: Matcher, event: Event): boolean {
  const value = matcher.field === 'Image' ? `/usr/bin/${event.name}` : event.line;
  const one = (pattern: string): boolean => {
    const head = matcher.how === 'contains' || matcher.how === 'endswith' ? '*' : '';
    const tail = matcher.how === 'contains' || matcher.how === 'startswith' ? '*' : '';
    return like(value, `${head}${pattern}${tail}`);
  };
  return matcher.all ? matcher.values.every(one) : matcher.values.some(one);
}

function evaluate(tree: Tree, selections: ReadonlyMap<string, Selection>, event: Event): boolean {
  const selected = (name: string): boolean => (selections.get(name) ?? []).some((map) => map.every((matcher) => matches(matcher, event)));
  if (tree.op === 'sel') return selected(tree.name);
  if (tree.op === 'not') return !evaluate(tree.item, selections, event);
  if (tree.op !== 'of') {
    const holds = (one: Tree): boolean => evaluate(one, selections, event);
    return tree.op === 'and' ? tree.items.every(holds) : tree.items.some(holds);
  }
  const names = [...selections.keys()].filter((name) => tree.pattern === 'them' || like(name, tree.pattern));
  return tree.all ? names.every(selected) : names.some(selected);
}

/** With as few parentheses as the precedence allows. */
function conditionText(tree: Tree, above = 0): string {
  const strength = { or: 1, and: 2, not: 3, sel: 4, of: 4 }[tree.op];
  const body =
    tree.op === 'sel'
      ? tree.name
      : tree.op === 'of'
        ? `${tree.all ? 'all' : '1'} of ${tree.pattern}`
        : tree.op === 'not'
          ? `not ${conditionText(tree.item, 3)}`
          : tree.items.map((one) => conditionText(one, strength)).join(` ${tree.op} `);
  return strength < above ? `(${body})` : body;
}

describe('SIG-016 conditions against a dull second reader', () => {
  const NAMES = ['sel_a', 'sel_b', 'flt_c'] as const;
  const part = fc.array(fc.constantFrom('a', 'b', 'ab', '*', '?'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''));
  const onLine = fc.record({
    field: fc.constant<'CommandLine'>('CommandLine'),
    how: fc.constantFrom<Matcher['how']>('contains', 'startswith', 'endswith', ''),
    all: fc.boolean(),
    values: fc.array(part, { minLength: 1, maxLength: 3 }),
  });
  const onImage = fc.record({
    field: fc.constant<'Image'>('Image'),
    how: fc.constant<Matcher['how']>('endswith'),
    all: fc.constant(false),
    values: fc.subarray(['/a', '/b', '/bb'], { minLength: 1 }),
  });
  const selection: fc.Arbitrary<Selection> = fc.array(fc.oneof(fc.tuple(onLine), fc.tuple(onImage), fc.tuple(onImage, onLine)), {
    minLength: 1,
    maxLength: 2,
  });
  const leaf: fc.Arbitrary<Tree> = fc.oneof(
    fc.record({ op: fc.constant<'sel'>('sel'), name: fc.constantFrom(...NAMES) }),
    fc.record({ op: fc.constant<'of'>('of'), all: fc.boolean(), pattern: fc.constantFrom('them', 'sel_*', 'sel_a', '*_c') }),
  );
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.record({ op: fc.constantFrom<'and' | 'or'>('and', 'or'), items: fc.array(tie('tree'), { minLength: 2, maxLength: 3 }) }),
      fc.record({ op: fc.constant<'not'>('not'), item: tie('tree') }),
    ),
  }));
  const event: fc.Arbitrary<Event> = fc
    .tuple(fc.constantFrom('a', 'b', 'bb'), fc.array(fc.constantFrom('a', 'b', 'ab', 'c'), { maxLength: 3 }))
    .map(([name, args]) => ({ name, line: [name, ...args].join(' ') }));

  function yamlOf(selections: ReadonlyMap<string, Selection>, condition: string): string {
    const one = ({ field, how, all, values }: Matcher): readonly [string, readonly string[]] => [
      [field, ...(how === '' ? [] : [how]), ...(all ? ['all'] : [])].join('|'),
      values,
    ];
    const maps = (list: Selection): object => list.map((matchers) => Object.fromEntries(matchers.map(one)));
    const detection = { ...Object.fromEntries([...selections].map(([name, list]) => [name, maps(list)])), condition };
    return JSON.stringify({ title: 't', logsource: { category: 'process_creation' }, detection });
  }

  it('finds what it finds, in every action', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        fc.tuple(selection, selection, selection),
        tree,
        fc.array(event, { minLength: 1, maxLength: 4 }),
        (lists, written, events) => {
          const selections = new Map(NAMES.map((name, i) => [name as string, lists[i] ?? []]));
          const made = imported(yamlOf(selections, conditionText(written)));
          if (made.status === 'refused') {
            expect(made.remarks[0]).toMatch(/hold for everything|alternatives|nothing can fulfil/);
            return;
          }
          compared += 1;
          const expected = events.some((one) => evaluate(written, selections, one));
          expect(made.finds({ commands: events.map((one) => command(one.line, { name: one.name })) })).toBe(expected);
        },
      ),
      { numRuns: 400 },
    );
    expect(compared).toBeGreaterThan(200);
  });

  it.each([
    ['s AND NOT (t)', 'imported', ''],
    ['s and', 'refused', 'ends too early'],
    ['s t', 'refused', 'should end'],
    ['(s', 'refused', 'not closed'],
    ['s)', 'refused', 'should end'],
    ['and s', 'refused', 'where a selection should'],
    ['u', 'refused', 'there is no selection `u`'],
    ['2 of s*', 'refused', 'use 1, any or all'],
    ['1 of x*', 'refused', 'names no selection'],
    ['any of s*', 'imported', ''],
    ['s | count() > 5', 'refused', 'aggregations'],
  ])('%s', (condition, status, why) => {
    const made = rule(`s: {CommandLine: abc}\nt: {CommandLine: def}\ncondition: '${condition}'`);
    expect([made.status, made.remarks.join()]).toEqual([status, expect.stringContaining(why)]);
  });

  it('several conditions are alternatives, and names with `_` are not of `them`', () => {
    const made = rule('s: {CommandLine: abc}\nt: {CommandLine: def}\n_u: {CommandLine: ghi}\ncondition: [s, t]');
    expect(['abc', 'def', 'ghi'].map((one) => made.finds(line(one)))).toEqual([true, true, false]);
    const them = rule('s: {CommandLine: abc}\n_u: {CommandLine: ghi}\ncondition: 1 of them');
    expect(['abc', 'ghi'].map((one) => them.finds(line(one)))).toEqual([true, false]);
  });
});
