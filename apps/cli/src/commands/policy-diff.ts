/** @module `policy diff`: what one policy says and another does not, as written or with everything filled in. */
import type { JsonObject, JsonValue } from '@countersign/kernel';
import { diffPolicies, type PolicyChange } from '@countersign/policy';
import { type Command, type Context, flag, type Input } from '../command.ts';
import { CLI_LIMITS } from '../limits.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';
import { type NamedPolicy, resolveNamed } from '../policies.ts';
import { type Colour, type Paint, printable } from '../render.ts';

/** A policy is JSON by construction, written or resolved. */
function jsonOf(policy: NamedPolicy, resolved: boolean): JsonObject {
  return (resolved ? policy.resolved : policy.document.content) as unknown as JsonObject;
}

function short(value: JsonValue | undefined): string {
  const text = value === undefined ? '' : JSON.stringify(value);
  return printable(text.length > CLI_LIMITS.quoteChars ? `${text.slice(0, CLI_LIMITS.quoteChars - 1)}…` : text);
}

const MARKS: Readonly<Record<PolicyChange['kind'], readonly [string, Colour]>> = {
  added: ['+', 'green'],
  removed: ['-', 'red'],
  changed: ['~', 'yellow'],
};

function changeText(change: PolicyChange, paint: Paint): string {
  const [mark, colour] = MARKS[change.kind];
  const values = change.kind === 'changed' ? `${short(change.old)} -> ${short(change.new)}` : short(change.old ?? change.new);
  return `${paint(colour, mark)} ${printable(change.path)}: ${values}`;
}

async function diff(input: Input, context: Context): Promise<Outcome> {
  const [left, right] = input.args;
  if (left === undefined || right === undefined) throw usageError('two policies are compared', 'countersign policy diff --help');
  const resolve = flag(input, 'resolve');
  const [before, after] = [await resolveNamed(left, context), await resolveNamed(right, context)];
  const changes = diffPolicies(jsonOf(before, resolve), jsonOf(after, resolve));
  const json = {
    left: { source: left, hash: before.hash },
    right: { source: right, hash: after.hash },
    resolved: resolve,
    changes: changes.map((change): JsonObject => ({ ...change })),
  };
  const text = changes.map((change) => changeText(change, context.paint)).join('\n');
  return { exitCode: changes.length === 0 ? EXIT.ok : EXIT.warn, json, text: text === '' ? 'no difference' : text };
}

export const policyDiffCommand: Command = {
  path: 'policy diff',
  args: '<left> <right>',
  summary: 'what differs between two policies; exit code 1 where anything does',
  options: [{ flags: '--resolve', summary: 'with what they extend and every default filled in' }],
  examples: ['countersign policy diff default strict --resolve', 'countersign policy diff old.yaml new.yaml --json'],
  run: diff,
};
