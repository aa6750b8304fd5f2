/** @module A file of events, one a line and of any length: read as it comes, with as much in memory as one line may have. */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { codeOf, getOwn, isJsonObject, ok, parseJson, type Result } from '@countersign/kernel';
import { POLICY_LIMITS, type PolicyEvent, type PolicyEventFault, readPolicyEvent } from '@countersign/policy';
import type { Context } from './command.ts';
import { CliError, EXIT } from './outcome.ts';

export interface EventLine {
  /** From 1. */
  readonly number: number;
  /** As far as one can be told, else `line N`. */
  readonly id: string;
  readonly event: Result<PolicyEvent, PolicyEventFault>;
}

const NEWLINE = 0x0a;
const LIMITS = { bytesMax: POLICY_LIMITS.eventBytesMax, depthMax: 64, nodesMax: 200_000 };

async function* chunksOf(path: string, context: Context): AsyncIterable<Uint8Array> {
  if (path === '-') {
    yield* context.world.stdinChunks();
    return;
  }
  try {
    // A stream of Node without an encoding gives buffers.
    for await (const chunk of createReadStream(resolve(context.world.cwd, path))) yield chunk as Uint8Array;
  } catch (error) {
    throw new CliError(EXIT.config, [{ code: 'file_unreadable', message: `the events cannot be read (${codeOf(error)})`, path }], {
      cause: error,
    });
  }
}

/** Gathers one line; what goes beyond the limit is counted and forgotten. */
class LineBuffer {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  add(part: Uint8Array): void {
    this.#bytes += part.length;
    if (this.#bytes <= POLICY_LIMITS.eventBytesMax) this.#parts.push(part);
    else this.#parts = [];
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** The line, or undefined where it was too long; starts over. */
  take(): Uint8Array | undefined {
    const line = this.#bytes > POLICY_LIMITS.eventBytesMax ? undefined : Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return line;
  }
}

function readLine(number: number, bytes: Uint8Array | undefined): EventLine | undefined {
  const unnamed = `line ${String(number)}`;
  const refused = (fault: PolicyEventFault): EventLine => ({ number, id: unnamed, event: { ok: false, error: fault } });
  if (bytes === undefined) {
    return refused({ code: 'event_too_large', message: `an event has at most ${String(POLICY_LIMITS.eventBytesMax)} bytes` });
  }
  if (bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)) return undefined;
  const parsed = parseJson(bytes, LIMITS);
  if (!parsed.ok) return refused({ code: 'event_form', message: `the line is not JSON: ${parsed.error.message}` });
  const { value, exactNumbers } = parsed.value;
  const event = readPolicyEvent(value, exactNumbers);
  if (event.ok) return { number, id: event.value.id, event: ok(event.value) };
  const named = isJsonObject(value) ? (getOwn(value, 'eventId') ?? getOwn(value, 'event_id')) : undefined;
  return { number, id: typeof named === 'string' && named !== '' ? named : unnamed, event };
}

/** Every event of a file, or of standard input for `-`. Empty lines are passed over; a line that is no event is a fault in its place. */
export async function* eventLines(path: string, context: Context): AsyncIterable<EventLine> {
  const buffer = new LineBuffer();
  let number = 0;
  for await (const chunk of chunksOf(path, context)) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      buffer.add(chunk.subarray(from, at));
      from = at + 1;
      number += 1;
      const line = readLine(number, buffer.take());
      if (line !== undefined) yield line;
    }
    // What is kept across chunks is copied: the stream may use its memory again.
    if (from < chunk.length) buffer.add(chunk.slice(from));
  }
  if (buffer.isEmpty) return;
  const last = readLine(number + 1, buffer.take());
  if (last !== undefined) yield last;
}
