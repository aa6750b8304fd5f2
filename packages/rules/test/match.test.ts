import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRules, matchRules, parseRules, RULE_LIMITS, type Rule } from '../src/index.ts';
import { action, command, compileText, documentOf, holdsOn, matchOf, NO_FACTS, text } from './actions.ts';

describe('RULE-031 texts', () => {
  it('gives the exact place in the leaf, whatever the case', () => {
    const { findings } = matchOf("{text: {any: ['secret plan']}}", { texts: [text('the SECRET  Plan')] });
    expect(findings).toMatchObject([
      { rule: 'T1', score: 800, fact: 'text', evidence: [{ path: '/content', start: 4, end: 16 }], evidenceCut: 0, layers: [] },
    ]);
  });

  it('gives the encoded region of a decoded layer, and names the decoders', () => {
    const hidden = { ...text('ignore it', { layers: ['base64'] }), span: { path: '/params/q', start: 7, end: 19 } };
    const { findings } = matchOf('{text: {any: [ignore]}}', { texts: [hidden] });
    expect(findings).toMatchObject([{ evidence: [{ path: '/params/q', start: 7, end: 19 }], layers: ['base64'] }]);
  });

  it('says plain sight when one text shows it plainly', () => {
    const { findings } = matchOf('{text: {any: [ignore]}}', {
      texts: [text('ignore', { layers: ['rot13'] }), text('ignore', { path: '/params/b' })],
    });
    expect(findings).toMatchObject([{ layers: [], evidence: [{ path: '/content' }, { path: '/params/b' }] }]);
  });

  it('names the joined view only where nothing else shows it', () => {
    const joined = text('drop table', { role: 'joined', path: '/params' });
    const both = matchOf("{text: {any: ['drop table']}}", { texts: [text('drop table', { role: 'param', path: '/params/a' }), joined] });
    expect(both.findings[0]?.evidence).toEqual([{ path: '/params/a', start: 0, end: 10 }]);
    expect(matchOf("{text: {any: ['drop table']}}", { texts: [joined] }).findings[0]?.evidence).toEqual([
      { path: '/params', start: 0, end: 10 },
    ]);
  });

  it('looks only at the roles, layers, keys and lengths that the rule names', () => {
    const when = (more: string): string => `{text: {any: [trigger], ${more}}}`;
    const param = text('trigger', { role: 'param', path: '/params/note' });
    expect(holdsOn(when('roles: [content]'), { texts: [param] })).toBe(false);
    expect(holdsOn(when('roles: [param]'), { texts: [param] })).toBe(true);
    expect(holdsOn(when('keys: [note]'), { texts: [param] })).toBe(true);
    expect(holdsOn(when('keys: [url]'), { texts: [param] })).toBe(false);
    expect(holdsOn(when('except_keys: [note]'), { texts: [param] })).toBe(false);
    expect(holdsOn(when('layers: decoded'), { texts: [param] })).toBe(false);
    expect(holdsOn(when('layers: plain'), { texts: [param] })).toBe(true);
    expect(holdsOn(when('max_length: 7'), { texts: [param] })).toBe(true);
    expect(holdsOn(when('max_length: 6'), { texts: [param] })).toBe(false);
  });

  it('near must be in the window, unless_near must not', () => {
    const when = '{text: {any: [send], near: [secret], unless_near: [example]}}';
    expect(holdsOn(when, { texts: [text('send the secret')] })).toBe(true);
    expect(holdsOn(when, { texts: [text('send the letter')] })).toBe(false);
    expect(holdsOn(when, { texts: [text('example: send the secret')] })).toBe(false);
    expect(holdsOn(when, { texts: [text(`example${' '.repeat(400)}send the secret`)] })).toBe(true);
  });

  it('an exception lifts what it lies over, and a decoy beside it lifts nothing', () => {
    const when = "{text: {any: [send], unless: [{regex: 'example: send'}]}}";
    expect(holdsOn(when, { texts: [text('example: send')] })).toBe(false);
    expect(holdsOn(when, { texts: [text('example: send. now send')] })).toBe(true);
    expect(holdsOn(when, { texts: [text('send as in example: send')] })).toBe(true);
  });

  it('looks at so many matches of an exception, and takes what lies behind them for unlifted', () => {
    const when = "{text: {any: [send], unless: [{regex: '(foo|send)'}]}}";
    const behind = (decoys: number): boolean => holdsOn(when, { texts: [text(`${'foo '.repeat(decoys)}send`)] });
    expect(behind(RULE_LIMITS.exceptionsTriedMax - 1)).toBe(false);
    expect(behind(RULE_LIMITS.exceptionsTriedMax)).toBe(true);
  });

  it('an exception in one place does not lift a hit in another', () => {
    const when = "{text: {any: [send], unless: ['example send']}}";
    expect(holdsOn(when, { texts: [text(`example send${' '.repeat(600)}send`)] })).toBe(true);
  });

  it('decoys before a match do not hide it', () => {
    const when = "{text: {any: [{regex: 'ignore all (rules|orders)'}]}}";
    expect(holdsOn(when, { texts: [text(`${'ignore all '.repeat(3000)}rules`)] })).toBe(true);
  });

  it('a match reaches as far from its literal as the window promises', () => {
    const when = "{text: {any: [{regex: 'trigger.{0,300}end'}]}}";
    const reach = RULE_LIMITS.windowChars - RULE_LIMITS.windowReachChars - RULE_LIMITS.windowStrideChars - 'trigger'.length - 3;
    expect(holdsOn(when, { texts: [text(`${'-'.repeat(500)}trigger${'-'.repeat(reach)}end`)] })).toBe(true);
  });

  it('counts different patterns for at_least', () => {
    const when = '{text: {any: [alpha, beta, gamma], at_least: 2}}';
    expect(holdsOn(when, { texts: [text('alpha alpha alpha')] })).toBe(false);
    expect(holdsOn(when, { texts: [text('alpha'), text('beta', { path: '/params/b' })] })).toBe(true);
  });
});

describe('RULE-032 conditions', () => {
  const texts = [text('alpha beta')];
  const cases: readonly (readonly [string, boolean])[] = [
    ['{all: [{text: {any: [alpha]}}, {text: {any: [beta]}}]}', true],
    ['{all: [{text: {any: [alpha]}}, {text: {any: [gamma]}}]}', false],
    ['{any: [{text: {any: [gamma]}}, {text: {any: [beta]}}]}', true],
    ['{all: [{text: {any: [alpha]}}, {not: {text: {any: [gamma]}}}]}', true],
    ['{all: [{text: {any: [alpha]}}, {not: {text: {any: [beta]}}}]}', false],
    ['{at_least: 2, of: [{text: {any: [alpha]}}, {text: {any: [gamma]}}, {text: {any: [beta]}}]}', true],
    ['{at_least: 3, of: [{text: {any: [alpha]}}, {text: {any: [gamma]}}, {text: {any: [beta]}}]}', false],
  ];
  for (const [when, expected] of cases) it(`${when} is ${String(expected)}`, () => expect(holdsOn(when, { texts })).toBe(expected));

  it('a leaf under a not gives no evidence', () => {
    const { findings } = matchOf('{all: [{text: {any: [alpha]}}, {not: {all: [{text: {any: [beta]}}, {text: {any: [gamma]}}]}}]}', {
      texts,
    });
    expect(findings[0]?.evidence).toEqual([{ path: '/content', start: 0, end: 5 }]);
  });
});

describe('RULE-033 facts', () => {
  it('every field of a test must hold on one and the same fact', () => {
    const when = '{command: {name: [rm], args: [/]}}';
    expect(holdsOn(when, { commands: [command('rm /')] })).toBe(true);
    expect(holdsOn(when, { commands: [command('rm x'), command('ls /')] })).toBe(false);
  });

  it('any, all and none of a list', () => {
    const when = "{command: {args: {any: [-r, -f], all: [/etc, {regex: '^/v'}], none: [--help]}}}";
    expect(holdsOn(when, { commands: [command('rm -r /etc /var')] })).toBe(true);
    expect(holdsOn(when, { commands: [command('rm /etc /var')] })).toBe(false);
    expect(holdsOn(when, { commands: [command('rm -r /etc')] })).toBe(false);
    expect(holdsOn(when, { commands: [command('rm -r /etc /var --help')] })).toBe(false);
  });

  it('an exception lifts it on the same fact only', () => {
    const when = '{command: {name: [rm], unless: [{args: [--help]}]}}';
    expect(holdsOn(when, { commands: [command('rm --help')] })).toBe(false);
    expect(holdsOn(when, { commands: [command('rm --help'), command('rm x')] })).toBe(true);
  });

  it('follows a pipeline backwards to its beginning', () => {
    const commands = [command('curl x'), command('tee y', { pipedFrom: 0 }), command('sh', { pipedFrom: 1 })];
    expect(holdsOn('{command: {name: [sh], piped_from: {name: [curl]}}}', { commands })).toBe(true);
    expect(holdsOn('{command: {name: [sh], piped_from: {name: [wget]}}}', { commands })).toBe(false);
  });

  it('a pipeline that bites its tail ends', () => {
    const commands = [command('sh', { pipedFrom: 1 }), command('tee', { pipedFrom: 0 })];
    expect(holdsOn('{command: {name: [sh], piped_from: {name: [curl]}}}', { commands })).toBe(false);
  });

  it('reads what a path leads to, and who names it', () => {
    const span = { path: '/params/path', start: 0, end: 4 };
    const path = {
      span,
      raw: 'a',
      normalized: 'a',
      resolved: '/etc/shadow',
      access: 'read',
      traversal: false,
      layers: [],
      command: 0,
    } as const;
    expect(holdsOn("{path: {path: ['/etc/*'], access: [read], key: [path]}}", { paths: [path] })).toBe(true);
    expect(holdsOn('{path: {path: [a], command: {name: [cat]}}}', { paths: [path], commands: [command('cat a')] })).toBe(true);
    expect(holdsOn('{path: {path: [a], command: {name: [rm]}}}', { paths: [path], commands: [command('cat a')] })).toBe(false);
    expect(holdsOn('{path: {path: [a], resolved: false}}', { paths: [path] })).toBe(false);
  });

  it('numbers, flags, names and counts', () => {
    const span = { path: '/params/url', start: 0, end: 4 };
    const host = { span, raw: 'h', host: 'h', oddities: [], access: 'connect', command: -1, port: 22 } as const;
    expect(holdsOn('{host: {port: [22, 23]}}', { hosts: [host] })).toBe(true);
    expect(holdsOn('{host: {port: [80]}}', { hosts: [host] })).toBe(false);
    const pii = { span, type: 'email', layers: [], confidence: 'high' } as const;
    expect(holdsOn('{pii: {type: [email], at_least: 2}}', { pii: [pii] })).toBe(false);
    expect(holdsOn('{pii: {type: [email], at_least: 2}}', { pii: [pii, pii] })).toBe(true);
    expect(holdsOn('{cut: {name: [decode-depth]}}', { cuts: ['decode-depth'] })).toBe(true);
    expect(holdsOn('{encoding: {name: [bidi]}}', { encodings: ['bidi'] })).toBe(true);
    expect(holdsOn('{key: {name: [$where]}}', { texts: [text('$WHERE', { role: 'key', path: '/params' })] })).toBe(true);
  });

  it('the tool of the action', () => {
    const compiled = compileText(documentOf("{tool: {name: ['db.*']}}"));
    expect(matchRules(compiled, { action: action('tool.call', 'DB.query'), facts: NO_FACTS }).findings).toHaveLength(1);
    expect(matchRules(compiled, { action: action('tool.call', 'web.get'), facts: NO_FACTS }).findings).toEqual([]);
    expect(matchRules(compiled, { action: action('tool.call'), facts: NO_FACTS }).findings).toEqual([]);
  });

  it('at most eight places, and how many more', () => {
    const commands = Array.from({ length: 11 }, (_, i) => command('rm x', { span: { path: '/params/command', start: i, end: i + 1 } }));
    expect(matchOf('{command: {name: [rm]}}', { commands: commands.slice(0, 8) }).findings).toMatchObject([{ evidenceCut: 0 }]);
    const { findings } = matchOf('{command: {name: [rm]}}', { commands });
    expect(findings[0]?.evidence).toHaveLength(8);
    expect(findings[0]?.evidenceCut).toBe(3);
  });
});

describe('RULE-034 kinds, levels and order', () => {
  it('a rule speaks only on its kinds', () => {
    const compiled = compileText(documentOf('{text: {any: [alpha]}}', "kinds: [tool.call, 'remote.*']"));
    const on = (kind: string): number =>
      matchRules(compiled, { action: action(kind), facts: { ...NO_FACTS, texts: [text('alpha')] } }).findings.length;
    expect([on('tool.call'), on('remote.desktop'), on('mcp.call'), on('nonsense')]).toEqual([1, 1, 0, 0]);
  });

  it('a rule above the level is silent', () => {
    const yaml = documentOf('{text: {any: [alpha]}}', 'level: 2');
    const facts = { ...NO_FACTS, texts: [text('alpha')] };
    expect(matchRules(compileText(yaml, 1), { action: action('tool.call'), facts }).findings).toHaveLength(0);
    expect(matchRules(compileText(yaml, 2), { action: action('tool.call'), facts }).findings).toHaveLength(1);
  });

  it('by score, then by id, and the same every time', () => {
    const rule = (id: string, score: string): string =>
      documentOf('{text: {any: [alpha]}}').replace('id: T1', `id: ${id}`).replace('score: 0.8', `score: ${score}`).split('rules:\n')[1] ??
      '';
    const yaml = `version: 1\npack: t\ndescription: d\nrules:\n${rule('B', '0.5')}${rule('C', '0.9')}${rule('A', '0.5')}`;
    const compiled = compileText(yaml);
    const input = { action: action('tool.call'), facts: { ...NO_FACTS, texts: [text('alpha')] } };
    const first = matchRules(compiled, input);
    expect(first.findings.map((finding) => finding.rule)).toEqual(['C', 'A', 'B']);
    expect(matchRules(compiled, input)).toEqual(first);
    expect(matchRules(compileText(yaml), input)).toEqual(first);
  });
});

function wordRule(id: string, word: string): Rule {
  return {
    id,
    title: id,
    category: 'test',
    severity: 'low',
    score: 100,
    level: 1,
    kinds: ['tool.call'],
    when: { text: { any: [word] } },
    tags: { owasp: [], atlas: [], cwe: [] },
    exemptable: true,
  };
}

describe('RULE-035 many rules', () => {
  it('finds what looking for each word by itself finds', () => {
    const words = fc.uniqueArray(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 3, maxLength: 5 }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(words, fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'd'), maxLength: 80 }), (list, content) => {
        const compiled = compileRules({ version: 1, packs: [], rules: list.map((word) => wordRule(word, word)) });
        if (!compiled.ok) throw new Error('words are patterns');
        const found = matchRules(compiled.value, {
          action: action('tool.call'),
          facts: { ...NO_FACTS, texts: [text(content)] },
        }).findings.map((finding) => finding.rule);
        expect(found).toEqual(list.filter((word) => content.includes(word)).sort());
      }),
    );
  });

  it('ten thousand cost the steps of three hundred', () => {
    const stepsOf = (count: number): number => {
      const rules = Array.from({ length: count }, (_, i) =>
        wordRule(`W${String(i).padStart(5, '0')}`, `word${String(i).padStart(5, '0')}z`),
      );
      const compiled = compileRules({ version: 1, packs: [], rules });
      if (!compiled.ok) throw new Error('words are patterns');
      return matchRules(compiled.value, {
        action: action('tool.call'),
        facts: { ...NO_FACTS, texts: [text('an innocent sentence '.repeat(25))] },
      }).steps;
    };
    expect(stepsOf(10_000)).toBeLessThanOrEqual(stepsOf(300) * 1.5);
  });

  it('refuses one id twice, and more rules than the limit', () => {
    const twice = compileRules({ version: 1, packs: [], rules: [wordRule('A', 'abc'), wordRule('A', 'abd')] });
    expect(twice).toMatchObject({ ok: false, error: [{ code: 'rule_duplicate_id' }] });
    const many = (count: number): boolean =>
      compileRules({ version: 1, packs: [], rules: Array.from({ length: count }, (_, i) => wordRule(`W${i}`, 'abc')) }).ok;
    expect(many(RULE_LIMITS.rulesMax)).toBe(true);
    expect(many(RULE_LIMITS.rulesMax + 1)).toBe(false);
  });

  it('refuses a set with one unsafe pattern', () => {
    const bad = { ...wordRule('B', 'x'), when: { text: { any: [{ regex: 'abc(a+)+b' }] } } };
    const refused = compileRules({ version: 1, packs: [], rules: [wordRule('A', 'abc'), bad] });
    expect(refused).toMatchObject({
      ok: false,
      error: [{ code: 'pattern_unsafe', path: '/rules/1/when/text/any/0', span: { start: 3, end: 8 } }],
    });
  });
});

describe('RULE-036 dense texts', () => {
  const document = documentOf("{text: {any: [{regex: 'trigger.{0,60}[0-9]{3}'}]}}");

  it('says so when the work runs out, with a score that blocks', () => {
    const rules = Array.from({ length: 60 }, (_, i) => ({
      ...wordRule(`D${i}`, 'x'),
      when: { text: { any: [{ regex: `trigger .{0,100}a.{0,100}b.{0,5}z${i}` }] } },
    }));
    const compiled = compileRules({ version: 1, packs: [], rules });
    if (!compiled.ok) throw new Error(JSON.stringify(compiled.error));
    const ends = rules.map((_, i) => `z${i}`).join(' ');
    const dense = matchRules(compiled.value, {
      action: action('tool.call'),
      facts: { ...NO_FACTS, texts: [text('trigger ab '.repeat(20_000) + ends)] },
    });
    expect(dense.findings).toMatchObject([{ rule: 'R000', score: 800, exemptable: false }]);
    const sparse = matchRules(compiled.value, {
      action: action('tool.call'),
      facts: { ...NO_FACTS, texts: [text('trigger ab '.repeat(100))] },
    });
    expect(sparse.findings).toEqual([]);
  });

  it('counts the windows, not only the characters', () => {
    const steps = (content: string): number =>
      matchRules(compileText(document), { action: action('tool.call'), facts: { ...NO_FACTS, texts: [text(content)] } }).steps;
    const filler = '-'.repeat(2000);
    expect(steps(filler)).toBeLessThan(2100);
    expect(steps(`${filler}trigger${filler}`)).toBeGreaterThan(4007 + RULE_LIMITS.windowChars);
    expect(steps(`${filler}trigger${filler}trigger${filler}`)).toBeGreaterThan(6014 + 2 * RULE_LIMITS.windowChars);
  });

  it('RULE-038 no expression runs in a text that lacks what every match holds', () => {
    const steps = (content: string): number =>
      matchRules(compileText(documentOf("{text: {any: [{regex: 'trigger.{0,60}(poison|venom)'}]}}")), {
        action: action('tool.call'),
        facts: { ...NO_FACTS, texts: [text(content)] },
      }).steps;
    const bait = 'trigger '.repeat(1000);
    expect(steps(bait)).toBeLessThan(11_000);
    expect(steps(`${bait}venom`)).toBeGreaterThan(11_000 + 40 * RULE_LIMITS.windowChars);
  });

  it('RULE-038 an expression is given up after so many windows in vain, where the text lacks the little that every match holds', () => {
    const run = (content: string): ReturnType<typeof matchRules> =>
      matchRules(compileText(documentOf("{text: {any: [{regex: 'trigger.{0,60}bug'}]}}")), {
        action: action('tool.call'),
        facts: { ...NO_FACTS, texts: [text(content)] },
      });
    // One window in vain for each; the question costs a 32nd of the text.
    const apart = 'trigger'.padEnd(RULE_LIMITS.windowStrideChars + 1, '-');
    const { windowChars, unitsPassedPerStep } = RULE_LIMITS;
    const bait = apart.repeat(1000);
    const asked = Math.ceil(bait.length / unitsPassedPerStep / windowChars);
    const spent = run(bait).steps - bait.length;
    expect(spent).toBeGreaterThan(asked * windowChars);
    expect(spent).toBeLessThan((2 * asked + 4) * windowChars);
    expect(run(`${bait}bug`).findings).toEqual([]);
    expect(run(`${bait}bug`).steps).toBeGreaterThan(990 * windowChars);
    expect(run(`${bait}trigger bug`).findings).toMatchObject([{ rule: 'T1' }]);
  });

  it('names of properties that lead nowhere are remembered, which changes neither outcome nor steps', () => {
    const compiled = compileText(documentOf('{any: [{key: {name: [poison]}}, {text: {any: [venom], roles: [key]}}]}'));
    const run = (...names: readonly string[]): ReturnType<typeof matchRules> =>
      matchRules(compiled, {
        action: action('tool.call'),
        facts: { ...NO_FACTS, texts: names.map((name) => ({ ...text(name), role: 'key' as const })) },
      });
    const first = run('plain', 'other');
    expect(run('plain', 'other')).toEqual(first);
    for (const name of ['poison', 'venom', 'poison', 'venom']) expect(run('plain', name).findings).toMatchObject([{ rule: 'T1' }]);
    const long = 'n'.repeat(RULE_LIMITS.quietNameCharsMax + 1);
    expect(run(long)).toEqual(run(long));
  });

  it('RULE-035 a long list of values is asked once for what a pattern cannot do without, and every value only where it is there', () => {
    const compiled = compileText(documentOf("{command: {name: [fetch], args: [{regex: '^poison[a-z]'}, {regex: '^venom[a-z]'}]}}"));
    const run = (args: readonly string[]): ReturnType<typeof matchRules> =>
      matchRules(compiled, { action: action('tool.call'), facts: { ...NO_FACTS, commands: [command('fetch', { args })] } });
    const plain = Array.from({ length: 1000 }, () => 'a');
    expect(run(plain).steps).toBeLessThan(2 * 2000 + 100);
    expect(run(plain).findings).toEqual([]);
    expect(run([...plain, 'xpoisonb']).findings).toEqual([]);
    expect(run([...plain, 'venomb']).findings).toMatchObject([{ rule: 'T1' }]);
    expect(run(['venomb']).findings).toMatchObject([{ rule: 'T1' }]);
  });

  it('hits close together share a window', () => {
    const steps = (gap: number): number =>
      matchRules(compileText(document), {
        action: action('tool.call'),
        facts: { ...NO_FACTS, texts: [text(`trigger${'-'.repeat(gap)}trigger${'-'.repeat(3000 - gap)}`)] },
      }).steps;
    const shared = RULE_LIMITS.windowStrideChars - 'trigger'.length;
    expect(steps(shared + 1) - steps(shared)).toBe(RULE_LIMITS.windowChars);
  });

  it('no document may call itself R000', () => {
    expect(parseRules(document.replace('id: T1', 'id: R000'), 't').ok).toBe(false);
  });
});
