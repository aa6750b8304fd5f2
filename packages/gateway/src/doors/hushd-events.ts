/**
 * @module Events of the hushd door as server-sent events. The newest are kept, each has a number: who comes back says which it saw
 * last (`Last-Event-ID`), and who is too slow is told how many are lost. A watcher is a place in the ring; it never slows a decision.
 */
import type { ServerResponse } from 'node:http';
import type { JsonObject } from '@countersign/kernel';
import type { Ports } from '@countersign/pipeline';
import { GATEWAY_LIMITS as LIMITS } from '../limits.ts';

export interface HushdEvent {
  /** `check`, `violation`, `eval`, `policy_updated`, `session_created`, ... */
  readonly type: string;
  /** Empty: for everybody. */
  readonly org: string;
  /** What the filters of a watcher may ask for. */
  readonly session?: string;
  readonly endpointAgent?: string;
  readonly runtimeAgent?: string;
  readonly runtimeKind?: string;
  readonly data: JsonObject;
}

/** What a watcher wants to see. */
export interface EventFilter {
  readonly org: string;
  readonly types?: ReadonlySet<string>;
  readonly session?: string;
  readonly endpointAgent?: string;
  readonly runtimeAgent?: string;
  readonly runtimeKind?: string;
}

export interface HushdEvents {
  publish(event: HushdEvent): void;
  /** Sends what follows `lastId` (all that comes, where it is absent); false where too many watch already. */
  watch(out: ServerResponse, filter: EventFilter, lastId: string | undefined): boolean;
  /** Ends every watcher. */
  close(): void;
  readonly watchers: number;
}

interface Watcher {
  readonly out: ServerResponse;
  readonly filter: EventFilter;
  /** Number of the next event to send. */
  next: number;
}

const KEEP_ALIVE_MS = 30_000;

function wanted(event: HushdEvent, filter: EventFilter): boolean {
  if (event.org !== '' && event.org !== filter.org) return false;
  if (filter.types !== undefined && !filter.types.has(event.type)) return false;
  const pairs = [
    [filter.session, event.session],
    [filter.endpointAgent, event.endpointAgent],
    [filter.runtimeAgent, event.runtimeAgent],
    [filter.runtimeKind, event.runtimeKind],
  ] as const;
  return pairs.every(([asked, has]) => asked === undefined || asked === has);
}

function frame(id: string, type: string, data: JsonObject): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The newest events, and the number of the one that comes next. */
interface Ring {
  readonly run: string;
  readonly kept: HushdEvent[];
  head: number;
}

function oldestOf({ head, kept }: Ring): number {
  return head - kept.length;
}

function tellLost(ring: Ring, watcher: Watcher, missed: number | null): void {
  watcher.out.write(frame(`${ring.run}-${watcher.next - 1}`, 'lagged', { missed }));
}

function isTaking({ out }: Watcher): boolean {
  return out.writableLength <= LIMITS.feedUnreadBytesMax;
}

/** Sends what a watcher has not seen, as far as it takes it. */
function pump(ring: Ring, watcher: Watcher): void {
  const oldest = oldestOf(ring);
  if (watcher.next < oldest && isTaking(watcher)) {
    const missed = oldest - watcher.next;
    watcher.next = oldest;
    tellLost(ring, watcher, missed);
  }
  while (watcher.next < ring.head && isTaking(watcher)) {
    const event = ring.kept[watcher.next - oldest];
    if (event !== undefined && wanted(event, watcher.filter))
      watcher.out.write(frame(`${ring.run}-${watcher.next}`, event.type, event.data));
    watcher.next += 1;
  }
}

/** Where a watcher goes on; undefined for an id that is not of this run. */
function placeAfter({ run, head }: Ring, lastId: string): number | undefined {
  const number = lastId.startsWith(`${run}-`) ? lastId.slice(run.length + 1) : '';
  return /^[0-9]{1,15}$/.test(number) && Number(number) < head ? Number(number) + 1 : undefined;
}

function begin(ring: Ring, watcher: Watcher, lastId: string | undefined): void {
  watcher.out.write(': watching\n\n');
  if (lastId === undefined) return;
  const place = placeAfter(ring, lastId);
  // Of another run nobody knows how many there were; what is kept of this one follows.
  watcher.next = place ?? oldestOf(ring);
  if (place === undefined) tellLost(ring, watcher, null);
  pump(ring, watcher);
}

/** `run` names this run of the process in every id: numbers of another run mean nothing here. */
export function createHushdEvents(timer: Ports['timer'], run: string): HushdEvents {
  const ring: Ring = { run, kept: [], head: 0 };
  const watchers = new Set<Watcher>();
  let stopKeepAlive: (() => void) | undefined;

  function keepAlive(): void {
    stopKeepAlive = undefined;
    for (const watcher of watchers) if (isTaking(watcher)) watcher.out.write(': keep-alive\n\n');
    if (watchers.size > 0) stopKeepAlive = timer.after(KEEP_ALIVE_MS, keepAlive);
  }

  return {
    publish(event: HushdEvent): void {
      ring.kept.push(event);
      ring.head += 1;
      if (ring.kept.length > LIMITS.hushdEventsMax) ring.kept.shift();
      for (const watcher of watchers) pump(ring, watcher);
    },
    watch(out: ServerResponse, filter: EventFilter, lastId: string | undefined): boolean {
      if (watchers.size >= LIMITS.hushdSubscribersMax) return false;
      const watcher: Watcher = { out, filter, next: ring.head };
      watchers.add(watcher);
      const leave = (): void => void watchers.delete(watcher);
      out.on('close', leave).on('error', leave);
      out.on('drain', () => pump(ring, watcher));
      out.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'close' });
      begin(ring, watcher, lastId);
      stopKeepAlive ??= timer.after(KEEP_ALIVE_MS, keepAlive);
      return true;
    },
    close(): void {
      stopKeepAlive?.();
      for (const { out } of watchers) out.end();
      watchers.clear();
    },
    get watchers(): number {
      return watchers.size;
    },
  };
}
