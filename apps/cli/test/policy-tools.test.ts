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

const SUITE = `name: Ours
policy: ours.yaml
suites:
  - name: files
    tests:
      - name: keys are refused
        input: {eventType: file_read, data: {type: file, path: /home/a/.ssh/id_rsa}}
        expect: {denied: true, guard: forbidden_path, severity: critical, message_contains: id_rsa}
      - name: the blocked tool
        input: {eventType: tool_call, data: {type: tool, toolName: shell_exec, parameters: {}}}
        expect: {allowed: false, guard: mcp_tool}
      - name: an allowed host
        input: {eventType: network_egress, data: {type: network, host: api.example.com}}
        expect: {allowed: true, denied: false, warn: false}
      - name: a write nobody saw
        input: {eventType: file_write, data: {type: file, path: out.txt}}
        expect: {denied: true, reason_contains: missing_content_bytes}
`;

describe('POL-275 policy test', () => {
  it('runs a suite with the policy beside it, and fails where an expectation does', async () => {
    write('suite.yaml', SUITE);
    const good = await world.run(['policy', 'test', 'suite.yaml']);
    expect(good).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('4 passed, 0 failed') });
    write('bad.yaml', SUITE.replace('guard: mcp_tool', 'guard: egress_allowlist'));
    const bad = await world.run(['policy', 'test', 'bad.yaml']);
    expect(bad.exitCode).toBe(2);
    expect(bad.stdout).toContain('FAIL  files: the blocked tool\n      guard: expected egress_allowlist, got mcp_tool');
  });

  it.each([
    ['allowed: false', 'allowed: true'],
    ['denied: false', 'denied: true'],
    ['warn: false', 'warn: true'],
    ['severity: critical', 'severity: warning'],
    ['message_contains: id_rsa', 'message_contains: shadow'],
    ['reason_contains: missing_content_bytes', 'reason_contains: other'],
  ])('%s turned into %s fails', async (from, to) => {
    write('turned.yaml', SUITE.replace(from, to));
    const { exitCode, answer } = await world.ask(['policy', 'test', 'turned.yaml']);
    expect(exitCode).toBe(2);
    expect(answer).toMatchObject({ summary: { total: 4, passed: 3, failed: 1 } });
  });

  it('says which guards, entries and rules spoke, and wants a minimum', async () => {
    const { exitCode, answer } = await world.ask(['policy', 'test', 'suite.yaml', '--by-guard', '--min-coverage', '90']);
    expect(exitCode).toBe(2);
    const { guards } = answer['coverage'] as { guards: { guard: string; objected: number; spoke: string[]; silent: string[] }[] };
    const named = new Map(guards.map((guard) => [guard.guard, guard]));
    expect(named.get('forbidden_path')).toMatchObject({ objected: 1, spoke: expect.arrayContaining(['**/.ssh/**', '**/id_rsa*']) });
    expect(named.get('mcp_tool')).toMatchObject({ spoke: ['shell_exec'], silent: expect.arrayContaining(['git_push']) });
    expect(named.get('egress_allowlist')).toMatchObject({ answered: 1, objected: 0 });
    expect(answer['failures']).toEqual(['coverage is 50 %, wanted are 90 %']);
    expect(await world.run(['policy', 'test', 'suite.yaml', '--min-coverage', '33'])).toMatchObject({ exitCode: 0 });
    expect(await world.run(['policy', 'test', 'suite.yaml', '--min-coverage', '101'])).toMatchObject({ exitCode: 5 });
  });

  it('writes JUnit and HTML in which nothing of a name is markup', async () => {
    write('named.yaml', SUITE.replace('keys are refused', '"<b>&\\u0007"').replace('denied: true, guard', 'denied: false, guard'));
    const junit = await world.run(['policy', 'test', 'named.yaml', '--format', 'junit']);
    expect(junit.exitCode).toBe(2);
    expect(junit.stdout).toContain('<testsuite name="files" tests="4" failures="1" errors="0" skipped="0">');
    expect(junit.stdout).toContain('<testcase classname="files" name="&lt;b&gt;&amp;?">');
    expect(await world.run(['policy', 'test', 'named.yaml', '--format', 'html', '--output', 'out.html'])).toMatchObject({ exitCode: 2 });
    const html = readFileSync(join(world.root, 'out.html'), 'utf8');
    expect(html).toContain('<td>&lt;b&gt;&amp;?</td>');
    expect(html).not.toContain('<b>');
  });

  it('keeps answers, and fails where one changes', async () => {
    write('kept.yaml', SUITE);
    expect(await world.run(['policy', 'test', 'kept.yaml', '--snapshots'])).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('--update-snapshots'),
    });
    expect(await world.run(['policy', 'test', 'kept.yaml', '--update-snapshots'])).toMatchObject({ exitCode: 0 });
    expect(await world.run(['policy', 'test', 'kept.yaml', '--snapshots'])).toMatchObject({ exitCode: 0 });
    write(
      'kept.yaml',
      SUITE.replace('toolName: shell_exec', 'toolName: run_command')
        .replace('path: out.txt', 'path: /etc/shadow')
        .replace('reason_contains: missing_content_bytes', 'severity: critical'),
    );
    const { exitCode, stdout } = await world.run(['policy', 'test', 'kept.yaml', '--snapshots']);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('snapshot:');
  });

  it('a suite with faults ends with 3', async () => {
    write('faulty.yaml', SUITE.replace('denied', 'denyed'));
    expect(await world.run(['policy', 'test', 'faulty.yaml'])).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('denied') });
  });
});

describe('POL-284 policy migrate', () => {
  const OLD = 'version: "1.1.0"\nname: Old\n';

  it('writes to standard output, to a new file, or in place; and only says with --dry-run', async () => {
    write('old.yaml', OLD);
    const file = (name: string): string => readFileSync(join(world.root, name), 'utf8');
    expect(await world.run(['policy', 'migrate', 'old.yaml'])).toMatchObject({ exitCode: 0, stdout: OLD.replace('1.1.0', '1.5.0') });
    expect(await world.run(['policy', 'migrate', 'old.yaml', '--dry-run'])).toMatchObject({ stdout: 'version: 1.1.0 -> 1.5.0\n' });
    expect(file('old.yaml')).toBe(OLD);
    await world.run(['policy', 'migrate', 'old.yaml', '--to', '1.2.0', '-o', 'new.yaml']);
    expect(file('new.yaml')).toBe(OLD.replace('1.1.0', '1.2.0'));
    expect(await world.run(['policy', 'migrate', 'old.yaml', '-o', 'new.yaml'])).toMatchObject({ exitCode: 3 });
    await world.run(['policy', 'migrate', 'old.yaml', '--in-place']);
    expect(file('old.yaml')).toBe(OLD.replace('1.1.0', '1.5.0'));
  });

  it('an unknown version ends with 3, contradicting options with 5', async () => {
    expect(await world.run(['policy', 'migrate', 'ours.yaml', '--to', '7'])).toMatchObject({ exitCode: 3 });
    expect(await world.run(['policy', 'migrate', 'ours.yaml', '--in-place', '--dry-run'])).toMatchObject({ exitCode: 5 });
  });
});
