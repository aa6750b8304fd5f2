/** Rules of the operator: checked whole, in force without a restart, hashed into receipts; whatever is wrong with them never lets more through. */
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRules } from '@countersign/rules';
import { describe, expect, it } from 'vitest';
import { resolveRules } from '../src/built-rules.ts';
import { RUNTIME_LIMITS, type Runtime } from '../src/index.ts';
import { sha256Hex } from '@countersign/crypto';
import { canonicalize } from '@countersign/kernel';
import { act, type Actor, freshDirectory, openIn, register, unwrap } from './directory.ts';

interface Pack {
  readonly pack?: string;
  readonly id?: string;
  readonly word?: string;
  readonly positive?: string;
  readonly more?: string;
}

function packText({ pack = 'acme', id = 'acme.word', word = 'shibboleth', positive = `say the ${word}`, more = '' }: Pack = {}): string {
  return `version: 1
pack: ${pack}
description: for a test
rules:
  - id: ${id}
    title: A word that nobody says
    category: test
    severity: critical
    score: 0.9
    kinds: [any]
    ${more}
    when: {text: {any: [${word}]}}
    examples:
      positive: [{prompt: ${positive}}]
      negative: [{prompt: say something else}]
`;
}

async function place(directory: string, name: string, text: string): Promise<void> {
  await mkdir(join(directory, 'rules'), { recursive: true });
  await writeFile(join(directory, 'rules', name), text);
}

async function says(runtime: Runtime, actor: Actor, word = 'shibboleth'): Promise<string> {
  const answer = await act(runtime, actor, { kind: 'prompt.input', content: `please say the ${word}` });
  return answer.refusal?.code ?? answer.verdict.decision;
}

function codes(refused: Awaited<ReturnType<Runtime['rules']['put']>>): readonly string[] {
  return refused.ok ? [] : [refused.error.fault.code, ...refused.error.faults.map(({ code }) => code)];
}

describe('RULE-070 RULE-071 a document of the operator', () => {
  it('is in force without a restart and after one, and the merged set is what receipts name', async () => {
    const directory = await freshDirectory();
    const runtime = await openIn(directory);
    const actor = register(runtime);
    expect(await says(runtime, actor)).not.toBe('deny');
    const before = runtime.rules.view().hash;
    const view = unwrap(await runtime.rules.put('acme', packText()));
    expect(view).toEqual({ pack: 'acme', description: 'for a test', rules: 1, hash: sha256Hex(packText()) });
    expect(await says(runtime, actor)).toBe('deny');
    const { hash, packs, problem } = runtime.rules.view();
    expect([packs.map(({ pack }) => pack), problem]).toEqual([['acme'], null]);
    expect(hash).not.toBe(before);
    const parsed = parseRules(packText(), 'acme.yaml');
    expect(hash).toBe(sha256Hex(canonicalize(await resolveRules(parsed.ok ? [parsed.value] : []))));
    const receipt = (await act(runtime, actor, { kind: 'prompt.input', content: 'x' })).receipt;
    expect(receipt?.inputs.rules).toBe(hash);
    expect(runtime.store.document(hash)).toContain('acme.word');
    expect(runtime.rules.source('acme')).toBe(packText());
    await runtime.close();
    const again = await openIn(directory);
    expect(again.rules.view().hash).toBe(hash);
    expect(await says(again, actor)).toBe('deny');
  });

  it('takes the place of the one of its name, and goes again', async () => {
    const directory = await freshDirectory();
    const runtime = await openIn(directory);
    const actor = register(runtime);
    const before = runtime.rules.view().hash;
    unwrap(await runtime.rules.put('acme', packText()));
    unwrap(await runtime.rules.put('acme', packText({ word: 'abracadabra' })));
    expect([await says(runtime, actor), await says(runtime, actor, 'abracadabra')]).toEqual(['allow', 'deny']);
    unwrap(await runtime.rules.remove('acme'));
    expect([await says(runtime, actor, 'abracadabra'), runtime.rules.view().hash]).toEqual(['allow', before]);
    expect(codes((await runtime.rules.remove('acme')) as never)).toEqual(['rule_pack_unknown']);
    expect(codes((await runtime.rules.remove('../state')) as never)).toEqual(['rule_pack_unknown']);
  });

  it('comes in turn with others that come at once', async () => {
    const runtime = await openIn(await freshDirectory());
    const names = ['a', 'b', 'c'];
    const put = (pack: string): ReturnType<Runtime['rules']['put']> =>
      runtime.rules.put(pack, packText({ pack, id: `${pack}.x`, word: `${pack}${pack}word` }));
    for (const done of await Promise.all(names.map(put))) unwrap(done);
    expect(runtime.rules.view().packs.map(({ pack }) => pack)).toEqual(names);
  });
});

describe('RULE-072 a bad document changes nothing', () => {
  it.each<[string, string, readonly string[]]>([
    ['is no rule document', 'version: 1\npack: acme\n', ['rules_rejected', 'rule_missing_field', 'rule_missing_field']],
    ['has an id of a built-in rule', packText({ id: 'R001' }), ['rules_rejected', 'rule_duplicate_id']],
    ['has the name of a built-in pack', packText({ pack: 'shell', id: 'acme.shell' }), ['rules_rejected', 'rule_duplicate_pack']],
    ['has another name than it is put under', packText({ pack: 'other' }), ['rules_rejected', 'rule_value']],
    ['has an example that does not hold', packText({ positive: 'nothing of it' }), ['rules_rejected', 'rule_example_failed']],
  ])('that %s', async (_, source, wanted) => {
    const directory = await freshDirectory();
    const runtime = await openIn(directory);
    const actor = register(runtime);
    unwrap(await runtime.rules.put('acme', packText()));
    const before = runtime.rules.view();
    const name = source.includes('pack: shell') ? 'shell' : 'acme';
    expect(codes(await runtime.rules.put(name, source))).toEqual(wanted);
    expect(runtime.rules.view()).toEqual(before);
    expect(await readFile(join(directory, 'rules', 'acme.yaml'), 'utf8')).toBe(packText());
    expect(await says(runtime, actor)).toBe('deny');
  });

  it('is checked without being put', async () => {
    const runtime = await openIn(await freshDirectory());
    const before = runtime.rules.view();
    expect(unwrap(await runtime.rules.check(packText())).rules).toBe(1);
    expect(codes(await runtime.rules.check(packText({ id: 'R001' })))).toEqual(['rules_rejected', 'rule_duplicate_id']);
    expect(runtime.rules.view()).toEqual(before);
  });

  it('nor one that the policy in force would weaken', async () => {
    const runtime = await openIn(await freshDirectory());
    const actor = register(runtime);
    unwrap(await runtime.policy.set('extends: learning\nname: x\ndetection: {disable: [acme.word]}\n'));
    expect(runtime.rules.view().ignored).toEqual(['acme.word']);
    expect(codes(await runtime.rules.put('acme', packText({ more: 'exemptable: false' })))).toEqual([
      'rules_rejected',
      'rule_not_exemptable',
    ]);
    unwrap(await runtime.rules.put('acme', packText()));
    expect(await says(runtime, actor)).toBe('allow');
    expect(runtime.rules.view().ignored).toEqual([]);
  });

  it('nor one that cannot be written', async () => {
    const directory = await freshDirectory();
    const runtime = await openIn(directory);
    const before = runtime.rules.view();
    // A file where the directory should be: root, too, cannot write into it.
    await writeFile(join(directory, 'rules'), '');
    await expect(runtime.rules.put('acme', packText())).rejects.toMatchObject({ code: 'rules_unwritable' });
    expect(runtime.rules.view()).toEqual(before);
    await rm(join(directory, 'rules'));
    unwrap(await runtime.rules.put('acme', packText()));
  });
});

describe('RULE-073 a directory that is bad at the start', () => {
  it.each<[string, string, string]>([
    ['a document that is none', 'acme.yaml', 'nonsense'],
    ['a name that is not that of the pack', 'other.yaml', packText()],
    ['another ending', 'acme.yml', packText()],
    ['an id of a built-in rule', 'acme.yaml', packText({ id: 'R001' })],
    ['an example that does not hold', 'acme.yaml', packText({ positive: 'nothing of it' })],
  ])('denies everything and says so: %s', async (_, name, text) => {
    const directory = await freshDirectory();
    const first = await openIn(directory);
    const actor = register(first);
    await first.close();
    await place(directory, name, text);
    const runtime = await openIn(directory);
    expect(await says(runtime, actor)).toBe('policy_unavailable');
    expect(runtime.rules.view().problem).toContain('the rules of this installation are refused');
    expect(runtime.policy.problem).toContain('the rules of this installation are refused');
    expect(runtime.policy.problem).not.toContain(directory);
    const reloaded = await runtime.rules.reload();
    expect(reloaded.ok).toBe(false);
    expect(await says(runtime, actor)).toBe('policy_unavailable');
    if (name.endsWith('.yml')) await rm(join(directory, 'rules', name));
    const mended = name.endsWith('.yml') ? await runtime.rules.reload() : await runtime.rules.remove(name.slice(0, -5));
    expect(unwrap(mended).problem).toBeNull();
    expect(await says(runtime, actor)).toBe('allow');
  });

  it('is mended by putting the pack again', async () => {
    const directory = await freshDirectory();
    const first = await openIn(directory);
    const actor = register(first);
    await first.close();
    await place(directory, 'acme.yaml', 'nonsense');
    const runtime = await openIn(directory);
    unwrap(await runtime.rules.put('acme', packText()));
    expect(await says(runtime, actor)).toBe('deny');
  });

  it('files by hand hold once they are read again, and only whole', async () => {
    const directory = await freshDirectory();
    const runtime = await openIn(directory);
    const actor = register(runtime);
    await place(directory, 'acme.yaml', packText());
    expect(await says(runtime, actor)).toBe('allow');
    unwrap(await runtime.rules.reload());
    expect(await says(runtime, actor)).toBe('deny');
    await place(directory, 'acme.yaml', 'nonsense');
    expect((await runtime.rules.reload()).ok).toBe(false);
    expect(await says(runtime, actor)).toBe('deny');
  });

  it('holds as many files, and as large ones, as the limits say', async () => {
    const directory = await freshDirectory();
    const filled = (bytes: number): string => packText() + '#'.repeat(bytes - packText().length);
    await place(directory, 'acme.yaml', filled(RUNTIME_LIMITS.ruleFileBytesMax + 1));
    const runtime = await openIn(directory);
    expect(runtime.rules.view().problem).toContain(`larger than ${RUNTIME_LIMITS.ruleFileBytesMax} bytes`);
    await place(directory, 'acme.yaml', filled(RUNTIME_LIMITS.ruleFileBytesMax));
    // Not by its bytes, but by its characters: the reader of rules has a limit of its own.
    const refused = await runtime.rules.reload();
    expect(refused.ok ? [] : refused.error.faults.map(({ code }) => code)).toEqual(['rule_too_large']);
    for (let i = 0; i < RUNTIME_LIMITS.rulePacksMax; i += 1)
      await place(directory, `p${i}.yaml`, packText({ pack: `p${i}`, id: `p.x${i}`, word: `word${i}x` }));
    const many = await runtime.rules.reload();
    expect(many.ok ? [] : many.error.faults.map(({ message }) => message)).toEqual([expect.stringContaining('more than')]);
    await rm(join(directory, 'rules', 'acme.yaml'));
    expect(unwrap(await runtime.rules.reload()).packs).toHaveLength(RUNTIME_LIMITS.rulePacksMax);
  });

  it('keeps its files to the owner', async () => {
    const directory = await freshDirectory();
    await chmod(directory, 0o700);
    const runtime = await openIn(directory);
    unwrap(await runtime.rules.put('acme', packText()));
    expect(await readFile(join(directory, 'rules', 'acme.yaml'), 'utf8')).toBe(packText());
  });
});
