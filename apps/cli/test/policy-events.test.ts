import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { POLICY_LIMITS } from '@countersign/policy';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

let world: FakeWorld;
beforeAll(() => {
  world = fakeWorld();
});
afterAll(() => world.remove());

function line(id: string, eventType: string, data: object): string {
  return JSON.stringify({ eventId: id, eventType, timestamp: '2026-03-01T10:00:00Z', sessionId: 's1', data });
}

const READ = line('read', 'file_read', { type: 'file', path: 'notes.txt' });
const KEY = line('key', 'file_read', { type: 'file', path: '/home/a/.ssh/id_rsa' });
const HOST = line('host', 'network_egress', { type: 'network', host: 'elsewhere.example', port: 8443, protocol: 'tcp' });
const SHELL = line('shell', 'command_exec', { type: 'command', command: 'ls', args: ['-l'] });
const UNSEEN = line('unseen', 'file_write', { type: 'file', path: 'out.txt', contentHash: 'sha256:00' });

function write(name: string, lines: readonly string[]): void {
  writeFileSync(join(world.root, name), lines.map((one) => `${one}\n`).join(''));
}

interface Answered {
  readonly eventId: string;
  readonly outcome: string;
  readonly decision: {
    readonly guard: string | null;
    readonly severity: string | null;
    readonly message: string;
    readonly reason_code: string;
  };
}

describe('POL-276 policy eval', () => {
  it.each([
    [READ, 0, { outcome: 'allowed', decision: { guard: null, reason_code: 'ADC_POLICY_ALLOW' } }],
    [KEY, 2, { outcome: 'blocked', decision: { guard: 'forbidden_path', severity: 'critical', reason_code: 'ADC_POLICY_DENY' } }],
    [UNSEEN, 2, { outcome: 'blocked', decision: { reason_code: 'HSH_MISSING_CONTENT_BYTES', reason: 'missing_content_bytes' } }],
    [line('x', 'file_chown', {}), 2, { outcome: 'blocked', decision: { guard: 'policy_event', reason: 'event_type_unknown' } }],
    ['{', 2, { outcome: 'blocked', eventId: 'line 1', decision: { reason: 'event_form' } }],
  ])('%s', async (event, exit, answer) => {
    write('one.jsonl', [event]);
    const got = await world.ask(['policy', 'eval', 'default', 'one.jsonl']);
    expect(got.exitCode).toBe(exit);
    expect(got.answer).toMatchObject(answer);
  });

  it('a confirmation nobody gives is a warning, with 1', async () => {
    write('push.jsonl', [line('push', 'tool_call', { type: 'tool', toolName: 'git_push', parameters: {} })]);
    expect(await world.run(['policy', 'eval', 'default', 'push.jsonl'])).toMatchObject({ exitCode: 1 });
  });

  it('no event, and two, are refused', async () => {
    expect(await world.run(['policy', 'eval', 'default', '-'], { input: '\n' })).toMatchObject({ exitCode: 3 });
    expect(await world.run(['policy', 'eval', 'default', '-'], { input: `${READ}\n${READ}` })).toMatchObject({ exitCode: 3 });
  });
});

describe('POL-276 policy simulate', () => {
  it('answers line by line, from a file or standard input, with or without a last newline', async () => {
    write('some.jsonl', [READ, '', KEY, HOST]);
    const { exitCode, stdout } = await world.run(['policy', 'simulate', 'default', 'some.jsonl', '--jsonl']);
    expect(exitCode).toBe(0);
    const rows = stdout
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row) as Answered);
    expect(rows.map(({ eventId, outcome }) => `${eventId} ${outcome}`)).toEqual(['read allowed', 'key blocked', 'host blocked']);
    const piped = await world.run(['policy', 'simulate', 'default', '-', '--summary'], { input: `${READ}\n${KEY}` });
    expect(piped.stdout).toBe('2 events: 1 allowed, 0 warned, 1 blocked\n');
    expect(await world.run(['policy', 'simulate', 'default', 'some.jsonl', '--fail-on-deny', '--summary'])).toMatchObject({ exitCode: 2 });
  });

  it('lines cut anywhere by the stream are the same lines', async () => {
    const bytes = new TextEncoder().encode(`${READ}\n${KEY.replace('notes', 'n\u00f6tes')}\n${HOST}`);
    async function* stdinChunks(): AsyncIterable<Uint8Array> {
      // One buffer that is used again for each piece, as a stream may.
      const piece = new Uint8Array(7);
      for (let at = 0; at < bytes.length; at += 7) {
        const part = bytes.subarray(at, at + 7);
        piece.set(part);
        yield piece.subarray(0, part.length);
      }
    }
    const { stdout } = await world.run(['policy', 'simulate', 'default', '-', '--summary'], { stdinChunks });
    expect(stdout).toBe('3 events: 1 allowed, 0 warned, 2 blocked\n');
  });

  it('POL-279 an event has as many bytes as the limit; one more is denied, and the next line is read', async () => {
    const padded = (bytes: number): string => {
      const event = line('big', 'file_read', { type: 'file', path: 'notes.txt', note: '' });
      return event.replace('"note":""', `"note":"${'x'.repeat(bytes - event.length)}"`);
    };
    write('big.jsonl', [padded(POLICY_LIMITS.eventBytesMax), padded(POLICY_LIMITS.eventBytesMax + 1), READ]);
    const { answer } = await world.ask(['policy', 'simulate', 'default', 'big.jsonl']);
    expect(answer).toMatchObject({
      summary: { total: 3, allowed: 2, blocked: 1 },
      results: [{ eventId: 'big' }, { eventId: 'line 2', decision: { reason: 'event_too_large' } }, { eventId: 'read' }],
      results_cut: 0,
    });
  });

  it('--json and --jsonl exclude each other; a file that is not there ends with 3', async () => {
    expect(await world.run(['policy', 'simulate', 'default', 'x', '--json', '--jsonl'])).toMatchObject({ exitCode: 5 });
    expect(await world.run(['policy', 'simulate', 'default', 'none.jsonl'])).toMatchObject({ exitCode: 3 });
  });
});

describe('POL-276 policy impact', () => {
  it('tells opened from closed, and fails on what is opened', async () => {
    write('both.jsonl', [READ, HOST, line('web', 'tool_call', { type: 'tool', toolName: 'mcp__web_search', parameters: {} })]);
    const opened = await world.ask(['policy', 'impact', 'default', 'permissive', 'both.jsonl', '--fail-on-breaking']);
    expect(opened.exitCode).toBe(2);
    expect(opened.answer).toMatchObject({ summary: { total: 3, opened: 1, closed: 0 }, changes: [{ eventId: 'host', impact: 'opened' }] });
    const closed = await world.ask(['policy', 'impact', 'permissive', 'default', 'both.jsonl', '--fail-on-breaking']);
    expect(closed).toMatchObject({ exitCode: 1, answer: { summary: { opened: 0, closed: 1 } } });
    expect(await world.run(['policy', 'impact', 'strict', 'strict', 'both.jsonl'])).toMatchObject({ exitCode: 0 });
  });
});

describe('POL-277 OCSF', () => {
  it('a finding for each decision, and the activity where there is a class', async () => {
    write('ocsf.jsonl', [KEY, HOST, SHELL, line('k', 'secret_access', { type: 'secret', secretName: 'KEY' })]);
    await world.run(['policy', 'simulate', 'default', 'ocsf.jsonl', '--ocsf-out', 'out.ocsf', '--summary']);
    const rows = readFileSync(join(world.root, 'out.ocsf'), 'utf8')
      .trim()
      .split('\n')
      .map((row) => JSON.parse(row) as Record<string, unknown>);
    expect(rows.map((row) => row['type_uid'])).toEqual([200_401, 100_102, 200_401, 400_106, 200_401, 100_701, 200_401]);
    expect(rows[0]).toMatchObject({
      class_uid: 2004,
      category_uid: 2,
      severity_id: 5,
      status_id: 2,
      action_id: 2,
      disposition_id: 2,
      time: 1_772_359_200_000,
      metadata: { version: '1.4.0', original_uid: 'key' },
      finding_info: { uid: 'key', title: 'forbidden_path decision', analytic: { name: 'forbidden_path', type_id: 1, type: 'Rule' } },
      actor: { session: { uid: 's1' } },
      resources: [{ name: '/home/a/.ssh/id_rsa', type: 'file' }],
    });
    expect(rows[1]).toMatchObject({ file: { path: '/home/a/.ssh/id_rsa', name: 'id_rsa' } });
    expect(rows[3]).toMatchObject({ dst_endpoint: { hostname: 'elsewhere.example', port: 8443 }, connection_info: { direction_id: 2 } });
    expect(rows[5]).toMatchObject({ status_id: 1, severity_id: 1, process: { name: 'ls', cmd_line: 'ls -l' } });
    expect(await world.run(['policy', 'simulate', 'default', 'ocsf.jsonl', '--ocsf-out', 'out.ocsf'])).toMatchObject({ exitCode: 3 });
  });
});

const shared = process.env['COUNTERSIGN_SHARED'] ?? resolve(import.meta.dirname, '../../../../shared');
const archive = join(shared, 'conformance/clawdstrike-fixtures.tar.gz');
const present = existsSync(archive);
const place = present ? mkdtempSync(join(tmpdir(), 'countersign-events-')) : '';
if (present) execFileSync('tar', ['xzf', archive, '-C', place, './fixtures']);
afterAll(() => {
  if (place !== '') rmSync(place, { recursive: true });
});
const fixture = (path: string): string => join(place, 'fixtures', path);

describe.skipIf(!present)(`POL-278 fixtures of the original${present ? '' : ` (skipped: no ${archive}; set COUNTERSIGN_SHARED)`}`, () => {
  const TEXT_GUARDS = new Set(['prompt_injection', 'jailbreak_detection']);

  it('all of its policy events are decided as its ruleset `default` does, unseen content aside', async () => {
    const { answer } = await world.ask(['policy', 'simulate', 'default', fixture('policy-events/v1/events.jsonl'), '--allow-unseen']);
    const expected = JSON.parse(readFileSync(fixture('policy-events/v1/expected/default.decisions.json'), 'utf8')) as {
      readonly summary: object;
      readonly results: readonly Answered[];
    };
    expect(answer['summary']).toEqual(expected.summary);
    // Text is judged by rules here where the guards for it are not configured; they refuse under names of their own.
    const plain = ({ eventId, outcome, decision }: Answered, text: boolean): unknown =>
      text ? { eventId, outcome } : { eventId, outcome, guard: decision.guard, severity: decision.severity, message: decision.message };
    const results = answer['results'] as readonly Answered[];
    for (const [i, want] of expected.results.entries()) {
      const text = TEXT_GUARDS.has(want.decision.guard ?? '');
      expect(results[i] === undefined ? undefined : plain(results[i], text)).toEqual(plain(want, text));
    }
  });

  it('without that option, what nobody saw is denied, and nothing else changes', async () => {
    const { answer } = await world.ask(['policy', 'simulate', 'default', fixture('policy-events/v1/events.jsonl')]);
    expect(answer['summary']).toEqual({ total: 12, allowed: 4, warn: 0, blocked: 8 });
  });

  it('observations of the policy lab give findings of the same shape', async () => {
    const events = fixture('policy-lab/sample_observation.jsonl');
    await world.run(['policy', 'simulate', 'permissive', events, '--ocsf-out', 'lab.ocsf', '--summary']);
    const read = (path: string): Record<string, unknown>[] =>
      readFileSync(path, 'utf8')
        .trim()
        .split('\n')
        .map((row) => JSON.parse(row) as Record<string, unknown>);
    const findings = read(join(world.root, 'lab.ocsf')).filter((row) => row['class_uid'] === 2004);
    const golden = read(fixture('policy-lab/expected_ocsf.jsonl'));
    const fixed = ['class_uid', 'category_uid', 'type_uid', 'activity_id', 'activity_name', 'time', 'resources'];
    const pick = (row: Record<string, unknown>): unknown => fixed.map((key) => row[key]);
    expect(findings.map(pick)).toEqual(golden.map(pick));
    for (const [i, finding] of findings.entries()) expect(Object.keys(golden[i] ?? {}).filter((key) => !(key in finding))).toEqual([]);
  });

  it.each(['detection_finding_deny', 'file_activity_write', 'network_activity_egress'])(
    '%s: what we write has its fields',
    async (name) => {
      const golden = JSON.parse(readFileSync(fixture(`ocsf/${name}.json`), 'utf8')) as Record<string, unknown>;
      write('shape.jsonl', [line('a', 'file_write', { type: 'file', path: '/etc/shadow', content: 'x' }), HOST]);
      const out = `${name}.ocsf`;
      await world.run(['policy', 'simulate', 'default', 'shape.jsonl', '--ocsf-out', out, '--summary']);
      const rows = readFileSync(join(world.root, out), 'utf8')
        .trim()
        .split('\n')
        .map((row) => JSON.parse(row) as Record<string, unknown>);
      const own = rows.find((row) => row['type_uid'] === golden['type_uid']) ?? {};
      // An event says where it goes, not where it comes from.
      expect(Object.keys(golden).filter((key) => key !== 'src_endpoint' && !(key in own))).toEqual([]);
    },
  );
});
