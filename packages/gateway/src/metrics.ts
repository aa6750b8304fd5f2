/** @module Counters of one gateway, as Prometheus text. */

/** Something else that can be measured, read when asked. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  read(): number;
}

export type DecisionOutcome = 'allowed' | 'flagged' | 'denied' | 'refused';

export interface Metrics {
  /** One answered request of a decision route. `latencyMs` is not negative. */
  decided(outcome: DecisionOutcome, latencyMs: number): void;
  /** One refusal by its code: never a label a stranger can invent. */
  refused(code: string): void;
  text(): string;
}

const CONTENT: Readonly<Record<string, readonly [string, string]>> = {
  agentguard_requests_total: ['counter', 'decisions asked for'],
  agentguard_allowed_total: ['counter', 'decisions that released an action'],
  agentguard_denied_total: ['counter', 'decisions that did not'],
  agentguard_flagged_total: ['counter', 'decisions that released an action with a warning'],
  agentguard_latency_sum_us: ['counter', 'microseconds spent on decisions'],
  agentguard_latency_count: ['counter', 'decisions measured'],
  agentguard_rate_limit_fail_open_total: ['counter', 'always 0: nothing here fails open'],
  agentguard_up: ['gauge', '1 while the gateway takes decisions'],
};

function lines(name: string, value: number, about: readonly [string, string]): string {
  return `# HELP ${name} ${about[1]}\n# TYPE ${name} ${about[0]}\n${name} ${value}\n`;
}

/** Fresh counters. `healthy` and the gauges are read when the text is made. */
export function createMetrics(healthy: () => boolean, gauges: readonly Gauge[]): Metrics {
  const counts: Record<DecisionOutcome, number> = { allowed: 0, flagged: 0, denied: 0, refused: 0 };
  const refusals = new Map<string, number>();
  let latencyMs = 0;
  const values = (): Record<string, number> => {
    const { allowed, flagged, denied, refused } = counts;
    const all = allowed + flagged + denied + refused;
    return {
      agentguard_requests_total: all,
      agentguard_allowed_total: allowed + flagged,
      agentguard_denied_total: denied + refused,
      agentguard_flagged_total: flagged,
      agentguard_latency_sum_us: latencyMs * 1000,
      agentguard_latency_count: all,
      agentguard_rate_limit_fail_open_total: 0,
      agentguard_up: healthy() ? 1 : 0,
    };
  };
  return {
    decided(outcome: DecisionOutcome, ms: number): void {
      counts[outcome] += 1;
      latencyMs += ms;
    },
    refused(code: string): void {
      refusals.set(code, (refusals.get(code) ?? 0) + 1);
    },
    text(): string {
      const now = values();
      let text = '';
      for (const [name, about] of Object.entries(CONTENT)) text += lines(name, now[name] ?? 0, about);
      text +=
        '# HELP countersign_refusals_total requests refused before or instead of a verdict\n# TYPE countersign_refusals_total counter\n';
      for (const [code, count] of [...refusals].sort(([a], [b]) => (a < b ? -1 : 1)))
        text += `countersign_refusals_total{code="${code}"} ${count}\n`;
      for (const gauge of gauges) text += lines(gauge.name, gauge.read(), [gauge.type, gauge.help]);
      return text;
    },
  };
}
