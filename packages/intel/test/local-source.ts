/** @module A source on this machine that says what a test tells it to, over real HTTP; and time that stands still until it is moved. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AskingWorld } from '../src/asking.ts';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Answering = (asked: Asked, response: ServerResponse) => void;

export interface LocalSource {
  readonly url: string;
  readonly asked: Asked[];
  answer: Answering;
  close(): Promise<void>;
}

/** What most tests answer. */
export function json(value: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answering {
  return (_asked, response) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    response.end(typeof value === 'string' ? value : JSON.stringify(value));
  };
}

export async function openLocalSource(answer: Answering): Promise<LocalSource> {
  const asked: Asked[] = [];
  const source = { asked, answer } as LocalSource;
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: Buffer.concat(parts).toString() };
      asked.push(one);
      source.answer(one, response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return Object.assign(source, {
    url: `http://127.0.0.1:${String(port)}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

interface Due {
  readonly at: number;
  readonly work: () => void;
}

/** Moves only when it is told to. */
export class StillWorld implements AskingWorld {
  now = 1_700_000_000_000;
  readonly #due = new Set<Due>();
  readonly clock = { nowMs: (): number => this.now };
  readonly timer = {
    after: (ms: number, work: () => void): (() => void) => {
      const due = { at: this.now + ms, work };
      this.#due.add(due);
      return () => this.#due.delete(due);
    },
  };

  get pending(): number {
    return this.#due.size;
  }

  /** Runs what is due by then, in order. */
  pass(ms: number): void {
    this.now += ms;
    for (const due of [...this.#due].filter(({ at }) => at <= this.now).toSorted((a, b) => a.at - b.at)) {
      this.#due.delete(due);
      due.work();
    }
  }
}
