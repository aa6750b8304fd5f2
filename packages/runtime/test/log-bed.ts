/** @module Orgs on logs of their own in one data directory, disks that can be made to fail, and what must hold of every log. */
import { cpSync } from 'node:fs';
import type { Log, LogRecord } from '@countersign/log';
import { type EntryBody, type OutcomeBody, type ReceiptBody } from '@countersign/protocol';
import { type DiskSystem, nodeDisk } from '@countersign/store';
import { createFaultyDisk } from '@countersign/testkit';
import type { Runtime } from '../src/index.ts';
import { type Actor, freshDirectory, unwrap } from './directory.ts';

/** An org with one agent, which writes to `log`. */
export async function orgOn(runtime: Runtime, log: string, name = `org of ${log}`): Promise<Actor> {
  const org = unwrap(runtime.store.createOrg({ name, mode: 'learning' }));
  const { agent } = unwrap(runtime.store.createAgent({ org: org.id, name: 'agent', scopes: ['*'] }));
  if (log !== 'main') unwrap(await runtime.logs.moveOrg(org.id, log));
  return { org: org.id, agent: agent.id };
}

export function bodyOf(record: Pick<LogRecord, 'entry'>): EntryBody {
  return (JSON.parse(Buffer.from(record.entry).toString()) as { body: EntryBody }).body;
}

export async function bodiesOf(log: Log): Promise<readonly EntryBody[]> {
  const bodies: EntryBody[] = [];
  for await (const record of log.scan(0)) bodies.push(bodyOf(record));
  return bodies;
}

export function orgOf(body: EntryBody): string {
  return body.type === 'countersign.receipt.v1' ? body.principal.org : body.org;
}

/** Faults of the chains of a log: a number that is missing, an entry of another log. */
export async function chainFaults(log: Log): Promise<readonly string[]> {
  const next = new Map<string, number>();
  const faults: string[] = [];
  for (const body of await bodiesOf(log)) {
    const chain = `${orgOf(body)} ${body.session}`;
    const expected = next.get(chain) ?? 0;
    if (body.seq !== expected) faults.push(`${chain}: ${body.seq} instead of ${expected}`);
    if (body.log !== log.origin) faults.push(`${chain}: of ${body.log}`);
    next.set(chain, body.seq + 1);
  }
  return faults;
}

/** Receipts that a judge made for an org, in one log: each has counted one call. */
export async function judgedIn(log: Log, org: string): Promise<number> {
  const own = (await bodiesOf(log)).filter((body) => body.type === 'countersign.receipt.v1' && body.principal.org === org);
  return own.filter((body) => (body as ReceiptBody).verdict.by === 'judge').length;
}

/** A directory as a crash at this moment would leave it. */
export async function crashed(directory: string): Promise<string> {
  const copy = await freshDirectory();
  cpSync(directory, copy, { recursive: true });
  return copy;
}

/** Disks by the name of their log; one can be made to fail from its next change on. */
export function breakableDisks(): { readonly diskSystem: (log: string) => DiskSystem; breakDisk(log: string, inChanges?: number): void } {
  const disks = new Map<string, { readonly fault: { at: number }; readonly disk: ReturnType<typeof createFaultyDisk> }>();
  return {
    diskSystem: (log) => {
      const fault = { at: Number.MAX_SAFE_INTEGER, code: 'EIO' as const, lasting: true };
      const disk = createFaultyDisk(nodeDisk, fault);
      disks.set(log, { fault, disk });
      return disk.system;
    },
    breakDisk: (log, inChanges = 1) => {
      const known = disks.get(log);
      if (known === undefined) throw new Error(`no disk of ${log}`);
      known.fault.at = known.disk.changes() + inChanges;
    },
  };
}

/** The outcome of a receipt. */
export function outcomeOf(receipt: ReceiptBody, id: string): { readonly receipt: ReceiptBody; readonly id: string } & OutcomeSketch {
  return { receipt, id, time: receipt.time, status: 'ok', durationMs: 1, response: null, findings: [], redactions: 0 };
}

interface OutcomeSketch {
  readonly time: string;
  readonly status: OutcomeBody['status'];
  readonly durationMs: number;
  readonly response: null;
  readonly findings: readonly never[];
  readonly redactions: number;
}
