/**
 * @module AgentWindow: what an agent did in its last minute and hour, over all its sessions, where a boundary of the policy counts it. It is folded
 * as a join, so that folding a delta twice changes nothing.
 */

/** Counts of one agent. */
export interface AgentWindow {
  /** Unix minute of `calls`. */
  readonly minute: number;
  readonly calls: number;
  /** Unix hour of `bytes` and `cents`. */
  readonly hour: number;
  readonly bytes: number;
  /** Paid, in cents. */
  readonly cents: number;
  /** Payments that were let through and may not come again, `id@hour`: the Unix hour up to which it is remembered. Sorted. */
  readonly paid: readonly string[];
}

/** Of `id@hour`, the hour; 0 where there is none. */
export function rememberedUntil(paid: string): number {
  const hour = Number(paid.slice(paid.lastIndexOf('@') + 1));
  return Number.isSafeInteger(hour) ? hour : 0;
}

/** Later windows win, of one window the greater counts, and what was paid is united as long as it is remembered. */
export function joinWindows(a: AgentWindow | undefined, b: AgentWindow): AgentWindow {
  if (a === undefined) return b;
  const hour = Math.max(a.hour, b.hour);
  const of = (window: AgentWindow, name: 'bytes' | 'cents'): number => (window.hour === hour ? window[name] : 0);
  const minute = Math.max(a.minute, b.minute);
  const calls = Math.max(a.minute === minute ? a.calls : 0, b.minute === minute ? b.calls : 0);
  return {
    minute,
    calls,
    hour,
    bytes: Math.max(of(a, 'bytes'), of(b, 'bytes')),
    cents: Math.max(of(a, 'cents'), of(b, 'cents')),
    paid: [...new Set([...a.paid, ...b.paid])].filter((entry) => rememberedUntil(entry) >= hour).toSorted(),
  };
}
