import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parsePolicy, type PolicyContent } from '@countersign/policy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

let world: FakeWorld;
beforeAll(() => {
  world = fakeWorld();
});
afterAll(() => world.remove());

const shared = process.env['COUNTERSIGN_SHARED'] ?? resolve(import.meta.dirname, '../../../../shared');
const archive = join(shared, 'conformance/clawdstrike-fixtures.tar.gz');
const present = existsSync(archive);

function put(path: string, name: string, change = (text: string): string => text): void {
  const text = execFileSync('tar', ['xzOf', archive, `./fixtures/${path}`], { encoding: 'utf8' });
  writeFileSync(join(world.root, name), change(text));
}

type Row = Readonly<Record<string, unknown>>;

function rowsOf(text: string): readonly Row[] {
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

/** Every path to a value, entries of lists aside. */
function* pathsOf(value: unknown, at = ''): Generator<string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return yield at;
  for (const [key, inner] of Object.entries(value)) yield* pathsOf(inner, at === '' ? key : `${at}.${key}`);
  return undefined;
}

describe.skipIf(!present)(`POL-287 policy-lab of the original${present ? '' : ` (skipped: no ${archive}; set COUNTERSIGN_SHARED)`}`, () => {
  beforeAll(() => {
    put('policy-lab/sample_observation.jsonl', 'observed.jsonl');
    // Two sections of other formats stand in it, empty.
    put('policy-lab/expected_policy.yaml', 'expected.yaml', (text) =>
      text.replace(/^ {2}custom: \[\]\n/m, '').replace(/^custom_guards: \[\]\n/m, ''),
    );
    put('policy-lab/expected_ocsf.jsonl', 'expected.ocsf');
  });

  it('policy synth makes of the observation the paths, hosts and posture that the original makes', async () => {
    const { exitCode } = await world.run(['policy', 'synth', 'observed.jsonl', '--with-posture', '--out', 'candidate.yaml']);
    expect(exitCode).toBe(0);
    const read = (name: string): PolicyContent => {
      const document = parsePolicy(readFileSync(join(world.root, name), 'utf8'), name);
      if (!document.ok) throw new Error(document.error[0]?.message);
      return document.value.content;
    };
    const [made, expected] = [read('candidate.yaml'), read('expected.yaml')];
    expect(made.guards?.path_allowlist).toEqual(expected.guards?.path_allowlist);
    for (const field of ['allow', 'default_action'] as const)
      expect(made.guards?.egress_allowlist?.[field]).toEqual(expected.guards?.egress_allowlist?.[field]);
    const [own, theirs] = [made.posture, expected.posture];
    expect(own?.initial).toBe(theirs?.initial);
    expect(own?.transitions).toEqual(theirs?.transitions?.map(({ from, to, on }) => ({ from, to, on })));
    const work = (posture: typeof own): readonly string[] => [...(posture?.states?.['work']?.capabilities ?? [])].toSorted();
    expect(work(own)).toEqual(work(theirs));
    expect(own?.states?.['work']?.budgets).toEqual(theirs?.states?.['work']?.budgets);
    expect(own?.states?.['quarantine']?.capabilities).toEqual([]);
    // The original lists no tools: whatever it saw called, any tool may be called.
    expect(made.guards?.mcp_tool).toEqual({ enabled: true, allow: ['mcp__web_search', 'read_file'], default_action: 'block' });
  });

  it('POL-287 policy synth leaves out what another policy refuses, and names it', async () => {
    const event = (eventId: string, path: string): string =>
      JSON.stringify({
        eventId,
        eventType: 'file_read',
        timestamp: '2026-01-01T00:00:00Z',
        data: { type: 'file', path },
      });
    writeFileSync(join(world.root, 'mixed.jsonl'), `${event('good', '/srv/app/a.txt')}\n${event('bad', '/home/dev/.ssh/id_ed25519')}\n`);
    const all = await world.ask(['policy', 'synth', 'mixed.jsonl']);
    expect(all.answer).toMatchObject({ events: 2, left_out: [] });
    expect(all.answer['document']).toContain('.ssh');
    const { answer } = await world.ask(['policy', 'synth', 'mixed.jsonl', '--without', 'default']);
    expect(answer).toMatchObject({ events: 1, left_out: ['bad'] });
    expect(answer['document']).not.toContain('.ssh');
    await world.run(['policy', 'synth', 'mixed.jsonl', '--without', 'nobody']).then(({ exitCode }) => expect(exitCode).not.toBe(0));
  });

  it.each(['candidate.yaml', 'expected.yaml'])('%s permits what was observed, but for what the original does not see', async (policy) => {
    const { answer } = await world.ask(['policy', 'simulate', policy, 'observed.jsonl', '--track-posture']);
    const results = answer['results'] as readonly {
      readonly eventId: string;
      readonly outcome: string;
      readonly decision: { readonly guard: string };
    }[];
    // obs-005: a tool reads a file outside of the list; the original looks at the paths of file events alone.
    // obs-010: a secret is asked for; neither posture has the capability `custom`, and the original does not count such an event.
    expect(results.filter(({ outcome }) => outcome === 'blocked').map(({ eventId, decision }) => `${eventId} ${decision.guard}`)).toEqual([
      'obs-005 path_allowlist',
      'obs-010 posture',
    ]);
    expect(answer['posture']).toMatchObject({ sessions: [{ session: null, state: 'work' }] });
  });

  it('observations give OCSF findings with all fields and values of the original that say what happened', async () => {
    await world.run(['policy', 'simulate', 'permissive', 'observed.jsonl', '--ocsf-out', 'lab.ocsf', '--summary']);
    const findings = rowsOf(readFileSync(join(world.root, 'lab.ocsf'), 'utf8')).filter((row) => row['class_uid'] === 2004);
    const golden = rowsOf(readFileSync(join(world.root, 'expected.ocsf'), 'utf8'));
    expect(findings).toHaveLength(golden.length);
    const at = (row: Row, path: string): unknown => path.split('.').reduce<unknown>((value, key) => (value as Row | undefined)?.[key], row);
    // Who made it, and in which words it says what it saw.
    const named = /^(?:message|actor\.app_name|finding_info\.(?:analytic\.name|desc|title)|metadata\.product\.)/;
    // The original only observes here; a rule of ours refuses to let a tool read a file of the system.
    const decided = /^(?:severity|status_id|action_id|disposition_id)/;
    expect(findings.flatMap((row, i) => (row['status_id'] === golden[i]?.['status_id'] ? [] : [at(row, 'finding_info.uid')]))).toEqual([
      'obs-005',
    ]);
    for (const [i, want] of golden.entries())
      for (const path of pathsOf(want)) {
        const got = at(findings[i] ?? {}, path);
        expect({ i, path, there: got !== undefined }).toEqual({ i, path, there: true });
        if (!named.test(path) && !decided.test(path)) expect({ i, path, value: got }).toEqual({ i, path, value: at(want, path) });
      }
  });

  it('a stream with a line that is no event makes no policy, and none at all makes none', async () => {
    writeFileSync(join(world.root, 'broken.jsonl'), '{"eventId": "a"}\n');
    expect(await world.run(['policy', 'synth', 'broken.jsonl'])).toMatchObject({ exitCode: 3 });
    expect(await world.run(['policy', 'synth', '-'], { input: '\n' })).toMatchObject({ exitCode: 5 });
  });
});

describe.skipIf(!present)(`POL-277 ocsf of the original${present ? '' : ` (skipped: no ${archive}; set COUNTERSIGN_SHARED)`}`, () => {
  it.each([
    ['detection_finding_deny', []],
    ['file_activity_write', []],
    // An event says where it goes, not where it comes from.
    ['network_activity_egress', ['src_endpoint.ip', 'src_endpoint.hostname']],
  ] as const)('%s: every field that it has, at any depth', async (name, without) => {
    put(`ocsf/${name}.json`, `${name}.json`);
    const golden = JSON.parse(readFileSync(join(world.root, `${name}.json`), 'utf8')) as Row;
    const events = [
      { eventId: 'a', eventType: 'file_write', sessionId: 's', data: { type: 'file', path: '/etc/shadow', content: 'x' } },
      { eventId: 'b', eventType: 'network_egress', data: { type: 'network', host: '93.184.216.34', port: 443, protocol: 'tcp' } },
    ];
    writeFileSync(join(world.root, 'shape.jsonl'), events.map((one) => `${JSON.stringify(one)}\n`).join(''));
    await world.run(['policy', 'simulate', 'default', 'shape.jsonl', '--ocsf-out', `${name}.ocsf`, '--summary']);
    const own = rowsOf(readFileSync(join(world.root, `${name}.ocsf`), 'utf8')).find((row) => row['type_uid'] === golden['type_uid']);
    const there = new Set(pathsOf(own));
    expect([...pathsOf(golden)].filter((path) => !there.has(path))).toEqual(without);
  });
});
