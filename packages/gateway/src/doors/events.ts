/**
 * @module Where the live feed is watched: server-sent events and a WebSocket. One way only; what a watcher sends is refused.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import type { FeedHub } from '../feed.ts';
import { GATEWAY_LIMITS } from '../limits.ts';
import { accessOf, type AccessRules, type Access, require as need } from './operator-access.ts';
import { OperatorError, operatorError } from './operator-errors.ts';

const SSE_PATH = '/api/v1/events';
const SOCKET_PATH = '/api/v1/events/ws';
const POLICY_VIOLATION = 1008;
const TRY_LATER = 1013;
const GOING_AWAY = 1001;

export interface EventsDoor extends AccessRules {
  readonly hub: FeedHub;
}

function watcher(request: IncomingMessage, door: EventsDoor): Access {
  const access = accessOf(request.headers, door);
  need(access, 'read');
  return access;
}

function addStream(app: FastifyInstance, door: EventsDoor): void {
  const open = new Set<() => void>();
  app.get(SSE_PATH, (request, reply) => {
    let access: Access;
    try {
      access = watcher(request.raw, door);
    } catch (error) {
      const { status, body } = operatorError(error);
      return reply.code(status).send(body);
    }
    const { raw } = reply;
    const sink = { send: (frame: string) => void raw.write(`data: ${frame}\n\n`), unreadBytes: () => raw.writableLength };
    const leave = door.hub.subscribe(sink, access.org);
    if (leave === undefined) {
      const { status, body } = operatorError(new OperatorError({ code: 'too_many_subscribers', message: 'too many watch already' }));
      return reply.code(status).send(body);
    }
    reply.hijack();
    raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', connection: 'close' });
    raw.write(': watching\n\n');
    const end = (): void => void raw.end();
    open.add(end);
    raw.on('close', () => {
      leave();
      open.delete(end);
    });
    return reply;
  });
  app.addHook('preClose', async () => {
    for (const end of open) end();
  });
}

function watch(socket: WebSocket, door: EventsDoor, access: Access): void {
  const sink = { send: (frame: string) => socket.send(frame), unreadBytes: () => socket.bufferedAmount };
  const leave = door.hub.subscribe(sink, access.org);
  if (leave === undefined) {
    socket.close(TRY_LATER, 'too many watch already');
    return;
  }
  socket.on('message', () => socket.close(POLICY_VIOLATION, 'nothing is expected here'));
  socket.on('error', () => socket.terminate());
  socket.on('close', leave);
}

function refuseUpgrade(socket: Duplex, status: number, text: string): void {
  socket.end(`HTTP/1.1 ${status} ${text}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

function addSocket(app: FastifyInstance, door: EventsDoor): void {
  const server = new WebSocketServer({ noServer: true, maxPayload: GATEWAY_LIMITS.feedMessageBytesMax, perMessageDeflate: false });
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (request.url !== SOCKET_PATH) return refuseUpgrade(socket, 404, 'Not Found');
    try {
      const access = watcher(request, door);
      return server.handleUpgrade(request, socket, head, (client) => watch(client, door, access));
    } catch (error) {
      return refuseUpgrade(socket, operatorError(error).status, 'Refused');
    }
  });
  app.addHook('preClose', async () => {
    for (const client of server.clients) {
      client.close(GOING_AWAY, 'the gateway stops');
      client.terminate();
    }
    server.close();
  });
}

/** Adds both ways of watching to `app`. */
export function addEventsDoor(app: FastifyInstance, door: EventsDoor): void {
  addStream(app, door);
  addSocket(app, door);
}
