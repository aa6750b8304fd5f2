import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { JsonValue } from '@countersign/kernel';
import { isActionKind } from '@countersign/protocol';
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
/** Custom events that bring text, as the kinds that bring it here. */
const TEXT_KINDS: Readonly<Record<string, string>> = { untrusted_text: 'tool.response', user_input: 'prompt.input' };

function kindOf({ eventType, data }: PolicyEvent): string {
  const custom = data['customType'];
  return KINDS[eventType] ?? (typeof custom === 'string' ? (TEXT_KINDS[custom] ?? custom) : eventType);
}

function paramsOf(event: PolicyEvent): JsonValue {
  const { data } = event;
  if (event.eventType === 'patch_apply') return { path: data['filePath'] ?? null, patch: data['patchContent'] ?? null };
  if (event.eventType === 'tool_call') return data['parameters'] ?? {};
  if (event.eventType === 'network_egress') return { host: data['host'] ?? null, port: data['port'] ?? null, url: data['url'] ?? null };
  return { path: data['path'] ?? null, ...(data['content'] !== undefined && { content: data['content'] }) };
}

function outcome(event: PolicyEvent): Expected['decision'] {
  const tool = event.data['toolName'];
  const text = event.data['text'];
  const action = actionOf({
    kind: kindOf(event),
    ...(event.eventType === 'custom' ? {} : { params: paramsOf(event) }),
    ...(typeof text === 'string' && { content: text }),
    ...(typeof tool === 'string' && { tool }),
  });
  const denial = judged('default', action).find((result) => !result.allowed);
  if (denial === undefined) return { allowed: true, guard: null, severity: null, message: 'Allowed' };
  return { allowed: false, guard: denial.guard, severity: denial.severity, message: denial.message };
}

afterAll(() => {
  if (present) rmSync(place, { recursive: true });
});

/** Weaknesses of the original, by event: it lets them pass, and here they are refused. */
const WEAKNESSES: ReadonlyMap<string, object> = new Map([
  // A write of which it holds a hash alone: no guard saw what is written.
  [
    'evt-0002',
    {
      allowed: false,
      guard: 'secret_leak',
      severity: 'high',
      message: 'The content that is written is not in the action, so nothing of it was searched',
    },
  ],
]);

describe.skipIf(!present)(
  `POL-048 POL-080 policy events under default${present ? '' : ` (skipped: no fixtures at ${archive}; set COUNTERSIGN_SHARED)`}`,
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
    it('covers every kind of event', () => {
      expect(events.map(kindOf).filter((kind) => !isActionKind(kind))).toEqual([]);
      expect(events.length).toBeGreaterThan(9);
    });
    it.each(events.map((event) => [`${event.eventId} ${event.eventType}`, event] as const))('%s', (_, event) => {
      const { allowed, guard, severity, message } = expected.get(event.eventId) ?? {};
      expect(outcome(event)).toEqual(WEAKNESSES.get(event.eventId) ?? { allowed, guard, severity, message });
      if (WEAKNESSES.has(event.eventId)) expect(allowed).toBe(true);
    });
  },
);
