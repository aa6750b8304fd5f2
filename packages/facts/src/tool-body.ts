/** @module Bodies: the statements that a client of a database is given on its command line or its input, and commands hidden in them. */
import type { ToolCall } from '@countersign/protocol';

type Given = Pick<ToolCall, 'verb' | 'flags' | 'operands'>;

/** Clients, the options that carry statements, and the operand from which on statements stand (-1: none). */
const CLIENTS: ReadonlyMap<string, readonly [options: readonly string[], operand: number]> = new Map([
  ['psql', [['command'], -1]],
  ['mysql', [['execute', 'init-command'], -1]],
  ['sqlite', [['cmd'], 1]],
  ['sqlcmd', [['query'], -1]],
  ['sql-client', [['query', 'execute', 'command', 'statement'], 1]],
  ['cockroach sql', [['execute'], -1]],
  ['bq query', [[], 0]],
  ['mongo', [['eval'], -1]],
  ['aws athena start-query-execution', [['query-string'], -1]],
  ['aws rds-data execute-statement', [['sql'], -1]],
  ['aws redshift-data execute-statement', [['sql'], -1]],
  ['gcloud spanner databases execute-sql', [['sql'], -1]],
  ['wrangler d1 execute', [['command'], -1]],
]);
const OTHER_LANGUAGE: ReadonlySet<string> = new Set(['mongo']);

/** The text of the statements, or undefined. */
export function bodyOf(given: Given, input: string | undefined): string | undefined {
  const client = CLIENTS.get(given.verb);
  if (client === undefined) return undefined;
  const [options, operand] = client;
  const prefixes = options.map((option) => `--${option}=`);
  const parts: string[] = [];
  for (const flag of given.flags) {
    const prefix = prefixes.find((one) => flag.startsWith(one));
    if (prefix !== undefined) parts.push(flag.slice(prefix.length));
  }
  if (operand !== -1) parts.push(...given.operands.slice(operand));
  if (parts.length === 0 && input !== undefined) parts.push(input);
  return parts.length === 0 ? undefined : parts.join(';\n');
}

/** Lines that speak to the client and not to the database. */
const CLIENT_LINE = /^[ \t]{0,16}[\\.].*$/gm;

/** The statements of a body, or undefined where it is none or not SQL. */
export function sqlOf(call: ToolCall): string | undefined {
  return call.body === undefined || OTHER_LANGUAGE.has(call.tool) ? undefined : call.body.replace(CLIENT_LINE, '');
}

const ESCAPE = /(?:^|[\n;]|\\)[ \t]{0,16}(?:\\!|\.(?:shell|system)\b|system\b|!!)[ \t]{1,16}([^\n]+)/g;

/** Commands that a client hands to a shell: `\! id`, `.shell id`, `system id`. */
export function shellEscapes(body: string): readonly string[] {
  if (!/\\!|\.s(?:hell|ystem)|system|!!/.test(body)) return [];
  return [...body.matchAll(ESCAPE)].map((found) => found[1] ?? '');
}
