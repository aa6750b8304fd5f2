/** `rules import-sigma`: what is written holds in the engine, and everything else is said. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

const GOOD = `title: Uploads With Our Tool
id: 0aaaaaaa-1111-4222-8333-444444444444
author: Somebody
status: stable
logsource: {category: process_creation, product: linux}
detection:
  selection: {Image|endswith: /upload-tool, CommandLine|contains: ' --to '}
  filter: {CommandLine|contains: ok.example}
  condition: selection and not filter
level: critical
`;
const PARTLY = `title: By Name Or By Its Own Name
logsource: {category: process_creation}
detection:
  selection:
    - Image|endswith: \\other-tool.exe
    - OriginalFileName: other-tool.exe
  condition: selection
`;
const UNSEEN = `title: Somebody Else
logsource: {category: process_creation}
detection: {selection: {User: root}, condition: selection}
`;
/** A line always has a name in front, so nothing begins with a space. */
const NEVER = `title: Begins With A Space
logsource: {category: process_creation}
detection: {selection: {CommandLine|startswith: ' x'}, condition: selection}
`;
const TOO_MUCH = `title: Everything
logsource: {category: process_creation}
detection: {selection: {CommandLine|re: '^[a-z]'}, condition: selection}
`;
const NO_EXAMPLE = `title: Looks Ahead
logsource: {category: process_creation}
detection: {selection: {CommandLine|re: 'abc(?=d)'}, condition: selection}
`;

let world: FakeWorld;
beforeAll(() => {
  world = fakeWorld();
  const files = { GOOD, PARTLY, UNSEEN, NEVER, TOO_MUCH, NO_EXAMPLE };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(world.root, `${name.toLowerCase()}.yml`), text);
});
afterAll(() => world.remove());

const importing = (...args: readonly string[]): ReturnType<FakeWorld['ask']> => world.ask(['rules', 'import-sigma', ...args]);

describe('SIG-001 SIG-002 the report', () => {
  it('says of each rule what became of it, where and why', async () => {
    const { exitCode, answer } = await importing('good.yml', 'partly.yml', 'unseen.yml', 'never.yml', 'too_much.yml', 'no_example.yml');
    expect(exitCode).toBe(1);
    expect(answer).toMatchObject({ imported: 1, partly: 1, refused: 4 });
    const rules = answer['rules'] as { file: string; status: string; remarks: { path: string; why: string }[] }[];
    expect(rules.map(({ file, status, remarks }) => [file, status, remarks[0]?.path, remarks[0]?.why])).toEqual([
      ['good.yml', 'imported', undefined, undefined],
      ['partly.yml', 'partly', 'detection.selection[1].OriginalFileName', 'no action shows `OriginalFileName`'],
      ['unseen.yml', 'refused', 'detection.selection.User', 'no action shows `User`'],
      ['never.yml', 'refused', 'detection', expect.stringContaining('it does not find the example that was made of it')],
      ['too_much.yml', 'refused', 'detection', 'it finds something in an action that does nothing'],
      ['no_example.yml', 'refused', 'detection', expect.stringContaining('no example could be made of it')],
    ]);
    const shown = await world.run(['rules', 'import-sigma', 'partly.yml', 'unseen.yml']);
    expect(shown.stdout).toContain('partly   partly.yml  By Name Or By Its Own Name');
    expect(shown.stdout).toContain('unseen.yml: Somebody Else: detection.selection.User: no action shows `User`');
    expect(shown.stdout).toContain('0 imported, 1 partly, 1 refused');
  });

  it('writes a document that is one, with whom each rule is from', async () => {
    const made = await world.run(['rules', 'import-sigma', 'good.yml', '--out', 'sigma.yaml', '--pack', 'sigma-ours']);
    expect([made.exitCode, made.stdout]).toEqual([0, expect.stringContaining('next: countersign rules add sigma.yaml')]);
    const document = readFileSync(join(world.root, 'sigma.yaml'), 'utf8');
    expect(document).toContain('# Somebody\n');
    expect((await world.ask(['rules', 'test', 'sigma.yaml'])).answer).toMatchObject({ passed: 2, failed: 0, rules: 1 });
    expect((await world.run(['rules', 'import-sigma', 'good.yml', '--out', 'sigma.yaml'])).stderr).toContain('file_exists');
    const added = await world.ask(['rules', 'add', 'sigma.yaml']);
    expect(added).toMatchObject({ exitCode: 0, answer: { pack: { pack: 'sigma-ours', rules: 1 } } });
    const check = async (command: string): Promise<unknown> => (await world.ask(['check', 'shell', command])).exitCode;
    expect([await check('upload-tool --to x.example'), await check('upload-tool --to ok.example')]).toEqual([2, 0]);
  });

  it('writes nothing where nothing is left, and takes no other pack names', async () => {
    const none = await importing('unseen.yml', '--out', 'none.yaml');
    expect([none.exitCode, existsSync(join(world.root, 'none.yaml'))]).toEqual([3, false]);
    expect((await importing('good.yml', '--pack', '../x')).exitCode).toBe(5);
    expect((await importing('none.yml')).exitCode).toBe(3);
  });
});
