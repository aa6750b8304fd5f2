/**
 * The recorded events of Clawdstrike, sent to the hushd door of a real process under the ruleset `default`: the decision of each is the
 * recorded one, and so are guard, severity and message where the original's guard is one of ours; or it is listed with the weakness of
 * the original that it records.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServerProcess, startServer } from '../../bench/server-process.ts';

const shared = process.env['COUNTERSIGN_SHARED'] ?? resolve(import.meta.dirname, '../../../shared');
const archive = join(shared, 'conformance/clawdstrike-fixtures.tar.gz');
const present = existsSync(archive);
const place = present ? mkdtempSync(join(tmpdir(), 'countersign-hushd-')) : '';
if (present) execFileSync('tar', ['xzf', archive, '-C', place, './fixtures/policy-events/v1']);

interface Decision {
  readonly allowed: boolean;
  readonly denied: boolean;
  readonly warn: boolean;
  readonly reason_code: string;
  readonly guard: string | null;
  readonly severity: string | null;
  readonly message: string;
  readonly reason: string | null;
}

interface PolicyEvent {
  readonly eventId: string;
  readonly data: { readonly toolName?: string };
}

function fixture(path: string): string {
  return readFileSync(join(place, 'fixtures/policy-events/v1', path), 'utf8');
}

const events = present
  ? fixture('events.jsonl')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as PolicyEvent)
  : [];
const expected = new Map(
  present
    ? (JSON.parse(fixture('expected/default.decisions.json')) as { results: { eventId: string; decision: Decision }[] }).results.map(
        ({ eventId, decision }) => [eventId, decision] as const,
      )
    : [],
);

/** Guards over texts: here rules say it, in words of their own. */
const TEXT_GUARDS: ReadonlySet<string | null> = new Set(['prompt_injection', 'jailbreak_detection']);

/** What the original lets pass and must not be. */
const WEAKNESSES: ReadonlyMap<string, { readonly why: string; readonly decision: Decision }> = new Map([
  [
    'evt-0002',
    {
      why: 'a write of which it is told a hash alone is allowed: no guard saw what is written',
      decision: {
        allowed: false,
        denied: true,
        warn: false,
        reason_code: 'HSH_MISSING_CONTENT_BYTES',
        guard: 'secret_leak',
        severity: 'high',
        message: 'The content that is written is not in the action, so nothing of it was searched',
        reason: 'missing_content_bytes',
      },
    },
  ],
]);

let server: ServerProcess;
let url = '';
let key = '';

async function post(to: string, bearer: string, body: unknown): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
  const answer = await request(to, { method: 'POST', headers, body: JSON.stringify(body) });
  return (await answer.body.json()) as Record<string, unknown>;
}

describe.skipIf(!present)('HUSHD-020, HUSHD-023: recorded events and their decisions (needs the shared fixtures)', () => {
  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'countersign-hushd-data-'));
    server = await startServer(dataDir, { COUNTERSIGN_HUSHD: '127.0.0.1:0', COUNTERSIGN_RULESET: 'default' });
    const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(join(dataDir, name), 'utf8')) as unknown;
    const hushd = (await read('hushd.json')) as { url: string; keys: { name: string; key: string }[] };
    const operator = (await read('operator.json')) as { url: string; token: string };
    url = hushd.url;
    key = hushd.keys.find(({ name }) => name === 'check')?.key ?? '';
    // The original knows no registration of tools; the ones of the events are registered here.
    const tools = events.flatMap(({ data }) => data.toolName ?? []);
    for (const tool of tools) await post(`${operator.url}/api/v1/tools/approve`, operator.token, { tool });
  }, 60_000);

  afterAll(async () => {
    await server.kill('SIGTERM');
  });

  it.each(events.map((event) => [event.eventId, event] as const))('%s', async (id, event) => {
    const wanted = expected.get(id);
    const decision = (await post(`${url}/api/v1/eval`, key, event))['decision'];
    const weakness = WEAKNESSES.get(id);
    if (weakness !== undefined) {
      expect(decision).toEqual(weakness.decision);
      expect(wanted?.allowed).toBe(true);
    } else if (wanted !== undefined && TEXT_GUARDS.has(wanted.guard)) {
      const { allowed, denied, warn, reason_code, reason } = wanted;
      expect(decision).toMatchObject({ allowed, denied, warn, reason_code, reason });
    } else expect(decision).toEqual(wanted);
  });
});
