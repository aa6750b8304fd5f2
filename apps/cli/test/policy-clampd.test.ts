import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

let world: FakeWorld;
beforeAll(() => {
  world = fakeWorld();
});
afterAll(() => world.remove());

const POLICY = {
  mode: 'cedar',
  compiled: 'forbid(principal, action in Action::"scm", resource);',
  cedar_action: 'deny',
  cedar_reason: 'no pushes',
};
const asText = (json: object): { readonly input: string } => ({ input: JSON.stringify(json) });

// Most of these open the engine, some of them three times.
describe('POL-261 policy import-clampd', { timeout: 120_000 }, () => {
  it('writes a policy that loads, once, and policy validate agrees', async () => {
    const input = asText({ policies: [POLICY], thresholds: [{ toolPattern: 'git.*', blockThreshold: 0.5, flagThreshold: 0.2 }] });
    const made = await world.run(['policy', 'import-clampd', '-', '--out', 'mine.yaml'], input);
    expect(made).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 policies') });
    expect(readFileSync(join(world.root, 'mine.yaml'), 'utf8')).toContain('cedar_reason: no pushes');
    expect(await world.run(['policy', 'validate', 'mine.yaml'])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/cedar +default allow; policy-1/),
    });
    expect(await world.run(['policy', 'import-clampd', '-', '--out', 'mine.yaml'], input)).toMatchObject({ exitCode: 3 });
  });

  it('says what it left out, with exit 1', async () => {
    const made = await world.run(['policy', 'import-clampd', '-'], asText({ policies: [POLICY], keywords: [] }));
    expect(made).toMatchObject({ exitCode: 1, stdout: expect.stringMatching(/keywords: left out[^]*cedar_reason: no pushes/) });
  });

  it.each<[string, object, string, string?]>([
    ['a policy that Cedar cannot read', { policies: [{ ...POLICY, compiled: 'forbid(principal, action resource);' }] }, 'policy_cedar'],
    ['a rule that nothing exempts', { exemptions: [{ label: 'x', ruleIds: ['R009'], scope: '*' }] }, 'rule_not_exemptable'],
    ['nothing that is known', { keywords: [] }, 'clampd_nothing'],
    ['a ruleset that is none', { policies: [] }, 'there is no ruleset', 'none'],
  ])('refuses %s', async (...[, json, said, base]) => {
    const { exitCode, stderr } = await world.run(
      ['policy', 'import-clampd', '-', ...(base === undefined ? [] : ['--extends', base])],
      asText(json),
    );
    expect([exitCode, stderr]).toEqual([base === undefined ? 3 : 5, expect.stringContaining(said)]);
  });

  it('policy validate shows the place of a fault in a Cedar text', async () => {
    writeFileSync(
      join(world.root, 'bad.yaml'),
      'extends: default\ncedar:\n  text: |\n    permit(principal, action, resource);\n    forbid(principal, action, resource) when { context.rsk > 3 };\n',
    );
    const { exitCode, stderr } = await world.run(['policy', 'validate', 'bad.yaml']);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/cedar\.text[^]*line 2, column 44 of it/);
  });
});
