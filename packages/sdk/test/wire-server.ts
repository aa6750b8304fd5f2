/** A real HTTP server that speaks the wire format and answers what a test tells it to. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

export type Script = (seen: Seen, response: ServerResponse) => void;

export interface WireServer {
  readonly url: string;
  readonly seen: Seen[];
  script: Script;
  close(): Promise<void>;
}

export const PASS = {
  request_id: '0193a0b0-0000-7000-8000-000000000001',
  receipt_id: '0193a0b0-0000-7000-8000-000000000002',
  allowed: true,
  action: 'pass',
  risk_score: 0.05,
  scope_granted: 'db:query:read',
  scope_token: 'payload.signature',
  tool_response: null,
  denial_reason: null,
  matched_rules: [],
  degraded_stages: [],
  session_flags: [],
  latency_ms: 1,
};

export const BLOCK = {
  ...PASS,
  allowed: false,
  action: 'block',
  risk_score: 0.95,
  scope_granted: null,
  scope_token: null,
  denial_reason: 'drops a table',
  matched_rules: ['R001', 'R042'],
  session_flags: ['burst'],
};

export function answer(status: number, body: unknown): Script {
  return (_seen, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

/** One script for each request in turn; the last one for all that follow. */
export function inTurn(...scripts: readonly Script[]): Script {
  let turn = 0;
  return (seen, response) => {
    const script = scripts[Math.min(turn, scripts.length - 1)];
    turn += 1;
    script?.(seen, response);
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

export async function startWireServer(): Promise<WireServer> {
  const seen: Seen[] = [];
  const wire: { script: Script } = { script: answer(200, PASS) };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const one = { path: request.url ?? '', headers: request.headers, text, body: JSON.parse(text) as Record<string, unknown> };
      seen.push(one);
      wire.script(one, response);
    });
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    get script() {
      return wire.script;
    },
    set script(script: Script) {
      wire.script = script;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
