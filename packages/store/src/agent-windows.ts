/** @module Windows of agents as rows, and the text of a column for what was paid. */
import type { AgentWindow } from '@countersign/protocol';

export interface AgentWindowRow extends AgentWindow {
  readonly org: string;
  readonly agent: string;
}

/** The row without whose it is. */
export function windowOf({ minute, calls, hour, bytes, cents, paid }: AgentWindowRow): AgentWindow {
  return { minute, calls, hour, bytes, cents, paid };
}

export function writePaid(paid: readonly string[]): string {
  return paid.join(' ');
}

export function readPaid(text: string): readonly string[] {
  return text === '' ? [] : text.split(' ');
}
