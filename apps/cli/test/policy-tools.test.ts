import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

let world: FakeWorld;
beforeAll(() => {
  world = fakeWorld();
  write('ours.yaml', POLICY);
});
afterAll(() => world.remove());

const POLICY = `version: "1.5.0"
name: Ours
description: for the tests of the tools
extends: default
guards:
  egress_allowlist:
    allow:
      - api.example.com
      - api.example.com
`;

function write(name: string, text: string): void {
  writeFileSync(join(world.root, name), text);
}

describe('POL-270 policy diff', () => {
  it('is silent with 0 for equals, and lists changes with 1', async () => {
    expect(await world.run(['policy', 'diff', 'strict', 'strict'])).toMatchObject({ exitCode: 0, stdout: 'no difference\n' });
    const { exitCode, answer } = await world.ask(['policy', 'diff', 'default', 'ours.yaml', '--resolve']);
    expect(exitCode).toBe(1);
    expect(answer['changes']).toContainEqual({ path: 'name', kind: 'changed', old: 'Default', new: 'Ours' });
    const { stdout } = await world.run(['policy', 'diff', 'default', 'ours.yaml', '--resolve']);
    expect(stdout).toContain('~ name: "Default" -> "Ours"');
  });

  it('a file that is not there ends with 3', async () => {
    expect(await world.run(['policy', 'diff', 'default', 'none.yaml'])).toMatchObject({ exitCode: 3 });
  });
});

describe('POL-271 policy lint', () => {
  it('says place, code and reason, and ends with 1; with --strict 2; with 0 where there is nothing', async () => {
    const { exitCode, stdout } = await world.run(['policy', 'lint', 'ours.yaml']);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('ours.yaml:9:9: note STY010 guards.egress_allowlist.allow[1]: the entry stands here a second time');
    expect(await world.run(['policy', 'lint', 'ours.yaml', '--strict'])).toMatchObject({ exitCode: 2 });
    write('clean.yaml', POLICY.replace('      - api.example.com\n', '').replace('default', 'strict'));
    expect(await world.run(['policy', 'lint', 'clean.yaml', '--strict'])).toMatchObject({ exitCode: 0 });
  });

  it('a document with faults ends with 3, and its faults are the findings', async () => {
    write('wrong.yaml', 'guards:\n  mcp_tol: {}\n');
    const { exitCode, answer } = await world.ask(['policy', 'lint', 'wrong.yaml']);
    expect(exitCode).toBe(3);
    expect(answer).toMatchObject({ valid: false, findings: [{ code: 'policy_unknown_field', level: 'error', line: 2, column: 3 }] });
  });

  it('POL-272 --fix mends the file and leaves nothing to mend', async () => {
    write('mend.yaml', POLICY);
    expect(await world.run(['policy', 'lint', 'mend.yaml', '--fix'])).toMatchObject({ stdout: expect.stringContaining('1 fixed') });
    expect(readFileSync(join(world.root, 'mend.yaml'), 'utf8')).toBe(POLICY.replace('      - api.example.com\n', ''));
    expect(await world.run(['policy', 'lint', 'strict', '--fix'])).toMatchObject({ exitCode: 5 });
  });

  it('POL-273 --sarif prints SARIF and nothing else', async () => {
    const { exitCode, stdout } = await world.run(['policy', 'lint', 'ours.yaml', '--sarif']);
    expect(exitCode).toBe(1);
    const sarif = JSON.parse(stdout) as { runs: { results: { ruleId: string; locations: unknown }[] }[] };
    const ids = sarif.runs[0]?.results.map(({ ruleId }) => ruleId);
    expect(ids).toContain('STY010');
    expect(await world.run(['policy', 'lint', 'ours.yaml', '--sarif', '--json'])).toMatchObject({ exitCode: 5 });
  });
});
