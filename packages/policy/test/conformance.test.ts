import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { JsonValue } from '@countersign/kernel';
import { afterAll, describe, expect, it } from 'vitest';
import { actionOf, judged } from './support.ts';

const shared = process.env['COUNTERSIGN_SHARED'] ?? resolve(import.meta.dirname, '../../../../shared');
const archive = join(shared, 'conformance/clawdstrike-fixtures.tar.gz');
const present = existsSync(archive);
const place = present ? mkdtempSync(join(tmpdir(), 'countersign-policy-')) : '';
if (present) execFileSync('tar', ['xzf', archive, '-C', place, './fixtures/policy-events/v1']);

interface PolicyEvent {
  readonly eventId: string;
  readonly eventType: string;
  readonly data: Readonly<Record<string, JsonValue>>;
}
interface Expected {
  readonly eventId: string;
  readonly decision: {
    readonly allowed: boolean;
    readonly guard: string | null;
    readonly severity: string | null;
    readonly message: string;
  };
}

function read(path: string): string {
  return readFileSync(join(place, 'fixtures/policy-events/v1', path), 'utf8');
}

const KINDS: Readonly<Record<string, string>> = {
  file_read: 'file.read',
  file_write: 'file.write',
  network_egress: 'net.egress',
  patch_apply: 'file.patch',
  tool_call: 'tool.call',
};

function paramsOf(event: PolicyEvent): JsonValue {
  const { data } = event;
  if (event.eventType === 'patch_apply') return { path: data['filePath'] ?? null, patch: data['patchContent'] ?? null };
  if (event.eventType === 'tool_call') return data['parameters'] ?? {};
  if (event.eventType === 'network_egress') return { host: data['host'] ?? null, port: data['port'] ?? null, url: data['url'] ?? null };
  return { path: data['path'] ?? null, ...(data['content'] !== undefined && { content: data['content'] }) };
}

function outcome(event: PolicyEvent): Expected['decision'] {
  const tool = event.data['toolName'];
  const action = actionOf({
    kind: KINDS[event.eventType] ?? event.eventType,
    params: paramsOf(event),
    ...(typeof tool === 'string' && { tool }),
  });
  const denial = judged('default', action).find((result) => !result.allowed);
  if (denial === undefined) return { allowed: true, guard: null, severity: null, message: 'Allowed' };
  return { allowed: false, guard: denial.guard, severity: denial.severity, message: denial.message };
}

afterAll(() => {
  if (present) rmSync(place, { recursive: true });
});

describe.skipIf(!present)(
  `POL-080 policy events under default${present ? '' : ` (skipped: no fixtures at ${archive}; set COUNTERSIGN_SHARED)`}`,
  () => {
    const events = present
      ? read('events.jsonl')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as PolicyEvent)
      : [];
    const expected = new Map(
      present
        ? (JSON.parse(read('expected/default.decisions.json')) as { readonly results: readonly Expected[] }).results.map(
            (one) => [one.eventId, one.decision] as const,
          )
        : [],
    );
    // Untrusted text and user input are judged by guards that come later (prompt_injection, jailbreak_detection).
    const covered = events.filter((event) => KINDS[event.eventType] !== undefined);
    it('covers all but the two text events', () => expect(covered).toHaveLength(events.length - 2));
    it.each(covered.map((event) => [`${event.eventId} ${event.eventType}`, event] as const))('%s', (_, event) => {
      const { allowed, guard, severity, message } = expected.get(event.eventId) ?? {};
      expect(outcome(event)).toEqual({ allowed, guard, severity, message });
    });
  },
);
