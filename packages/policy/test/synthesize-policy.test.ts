import { POLICY_LIMITS, PolicySynthesis, parsePolicy, type PolicyEvent, readPolicyEvent } from '@countersign/policy';
import { describe, expect, it } from 'vitest';
import { resolved } from './support.ts';

function event(eventType: string, data: object): PolicyEvent {
  const read = readPolicyEvent({ eventId: 'e', eventType, data: { ...data } });
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
}

const read = (path: string): PolicyEvent => event('file_read', { type: 'file', path });
const write = (path: string): PolicyEvent => event('file_write', { type: 'file', path, content: 'x' });

function made(
  events: readonly PolicyEvent[],
  posture = false,
): { readonly policy: ReturnType<typeof resolved>; readonly codes: readonly string[] } {
  const synthesis = new PolicySynthesis();
  for (const one of events) synthesis.add(one);
  const { document, remarks } = synthesis.finish({ posture });
  return { policy: resolved(document), codes: remarks.map(({ code }) => code) };
}

describe('POL-287 a policy of recorded events', () => {
  it('permits directories, hosts and tools that were seen, and nothing else', () => {
    const { policy, codes } = made([
      read('/w/src/a.ts'),
      write('/w/out/b.ts'),
      event('patch_apply', { type: 'patch', filePath: '/w/src/a.ts', patchContent: '+x' }),
      event('network_egress', { type: 'network', host: 'API.example', port: 443 }),
      event('tool_call', { type: 'tool', toolName: 'read_file', parameters: {} }),
    ]);
    expect(policy.guards.path_allowlist).toEqual({
      enabled: true,
      file_access_allow: ['/w/out/**', '/w/src/**'],
      file_write_allow: ['/w/out/**'],
      patch_allow: ['/w/src/**'],
    });
    expect(policy.guards.egress_allowlist).toMatchObject({ allow: ['api.example'], default_action: 'block' });
    expect(policy.guards.mcp_tool).toMatchObject({ allow: ['read_file'], default_action: 'block' });
    expect(policy.posture).toBeUndefined();
    expect(codes).toEqual([]);
  });

  it('makes no path wider than it was: the root, relative paths, and characters of patterns', () => {
    const { policy, codes } = made([read('/vmlinuz'), read('a.txt'), read('/w/[a]/*.txt'), read('/w/../etc/shadow')]);
    expect(policy.guards.path_allowlist.file_access_allow).toEqual(['/vmlinuz', '/w/../etc/shadow', 'a.txt']);
    expect(codes.toSorted()).toEqual(['pattern_in_path', 'relative_path', 'root_directory']);
  });

  it('counts with a fifth more, at least five, and says what it cannot list', () => {
    const { policy, codes } = made(
      [
        ...Array.from({ length: 30 }, () => write('/w/a')),
        event('command_exec', { type: 'command', command: 'ls' }),
        event('secret_access', { type: 'secret', secretName: 'KEY' }),
      ],
      true,
    );
    expect(policy.posture?.states['work']).toMatchObject({
      capabilities: ['file_write', 'shell'],
      budgets: { file_writes: 36, shell_commands: 6 },
    });
    expect(codes).toEqual(['shell_not_bounded', 'not_covered']);
  });

  it('has as many entries as a list may, and says that there were more', () => {
    const reads = (count: number): readonly PolicyEvent[] => Array.from({ length: count }, (_, i) => read(`/d${String(i)}/a`));
    expect(made(reads(POLICY_LIMITS.listMax)).codes).toEqual([]);
    const more = made(reads(POLICY_LIMITS.listMax + 1));
    expect(more.codes).toEqual(['too_many']);
    expect(more.policy.guards.path_allowlist.file_access_allow).toHaveLength(POLICY_LIMITS.listMax);
  });

  it('is a document that every reader reads, whatever the names hold', () => {
    const synthesis = new PolicySynthesis();
    synthesis.add(event('tool_call', { type: 'tool', toolName: 'yes: {no}\n# - "x"', parameters: {} }));
    expect(parsePolicy(synthesis.finish({ posture: true }).document, 'made').ok).toBe(true);
  });
});
