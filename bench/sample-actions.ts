/** @module Actions to measure with: ordinary ones of our own making. Hostile ones stand in `hostile-families.ts`. */
import type { JsonValue } from '@countersign/kernel';
import type { Action } from '@countersign/protocol';

/** What varies between actions of different kinds. */
export type Shape = Pick<Action, 'kind'> & Partial<Pick<Action, 'tool' | 'params' | 'content' | 'context'>>;

/** An action around a shape; `n` makes its id. */
export function sampleAction(shape: Shape, n: number): Action {
  return {
    v: 1,
    id: `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`,
    ...shape,
    source: { framework: 'langchain', door: 'clampd' },
    org: 'bench',
    agent: 'b0000000-0000-4000-8000-000000000001',
    session: `bench-${n % 50}`,
    delegation: [],
  };
}

const CITIES = ['Utrecht', 'Porto', 'Lyon', 'Graz', 'Turku', 'Galway', 'Ghent', 'Aarhus', 'Brno', 'Bergen'] as const;

function pick<T>(items: readonly T[], n: number): T {
  const item = items[n % items.length];
  if (item === undefined) throw new RangeError('nothing to pick from');
  return item;
}

/** A call of about half a kilobyte with neither shell nor SQL in it. */
export function simpleParams(n: number): JsonValue {
  return {
    customer: `customer-${n}`,
    note: `Please move the appointment of party ${n} to the second week of next month and send the confirmation in their language.`,
    city: pick(CITIES, n),
    language: pick(['en', 'nl', 'fr', 'de', 'fi'], n),
    priority: n % 5,
    labels: ['renewal', `tier-${n % 3}`, 'follow-up'],
    window: { from: '2026-11-02', to: '2026-11-09', flexible: n % 2 === 0 },
    items: [
      { product: `P-${1000 + n}`, quantity: (n % 7) + 1, price: 12.5 },
      { product: `P-${2000 + n}`, quantity: 1, price: 99.9 },
    ],
    summary: 'The customer called in the morning and asked for a later date because of a conference abroad.',
  };
}

const COMMANDS: readonly ((n: number) => string)[] = [
  (n) => `git log --oneline -n ${(n % 40) + 5} | head -${(n % 9) + 1}`,
  (n) => `npm run build -- --filter=service-${n} && npm test`,
  (n) => `find src -name '*.ts' -newer build/stamp-${n} | xargs wc -l | sort -n | tail -3`,
  (n) => `docker compose -f compose.${n}.yaml up -d --build`,
  (n) => `grep -rn "handler_${n}" src --include='*.py' | awk -F: '{print $1}' | sort -u`,
];

const STATEMENTS: readonly ((n: number) => string)[] = [
  (n) => `SELECT id, name, total FROM invoices WHERE customer_id = ${n} AND paid = false ORDER BY due_on LIMIT 50`,
  (n) => `SELECT c.name, count(*) FROM customers c JOIN orders o ON o.customer_id = c.id WHERE c.region = 'r${n}' GROUP BY c.name`,
  (n) => `UPDATE tickets SET status = 'closed', closed_by = ${n} WHERE id = ${n * 3}`,
  (n) => `INSERT INTO visits (customer_id, note) VALUES (${n}, 'came back after ${n} days')`,
];

export function commandOf(n: number): string {
  return pick(COMMANDS, n)(n);
}

export function statementOf(n: number): string {
  return pick(STATEMENTS, n)(n);
}

/** A typical tool call without shell or SQL. */
export function simpleAction(n: number): Action {
  return sampleAction({ kind: 'tool.call', tool: 'crm.update_appointment', params: simpleParams(n) }, n);
}

/** A shell command and an SQL statement in turn. */
export function parsedAction(n: number): Action {
  if (n % 2 === 0) return sampleAction({ kind: 'shell.exec', tool: 'shell.exec', params: { command: commandOf(n >> 1) } }, n);
  return sampleAction({ kind: 'db.query', tool: 'database.query', params: { query: statementOf(n >> 1) } }, n);
}
