/** @module Requests that are not read: bytes that are no request get a reply written by hand, and too large a body is read out. */
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { codeOf, type Fault } from '@countersign/kernel';
import { clampdError, type DoorCode } from './doors/clampd-errors.ts';
import { GATEWAY_LIMITS } from './limits.ts';

function faultOf(code: string): Fault<DoorCode> {
  if (code === 'HPE_HEADER_OVERFLOW')
    return {
      code: 'headers_too_large',
      message: 'the headers of the request are too large',
      hint: 'all of them together have at most 16 KiB',
    };
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { code: 'request_timeout', message: 'the request did not arrive in time' };
  return { code: 'malformed_request', message: 'the request is not well-formed HTTP/1.1', hint: 'check the client, and proxies before it' };
}

/** Says what was wrong, in the form of every other error, and ends the connection. */
export function answerUnreadable(error: unknown, socket: Duplex): void {
  const code = codeOf(error);
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, body } = clampdError(faultOf(code));
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}

/**
 * Throws the rest of a body away while its sender still writes: a connection that is closed on them at once is a reset, and they never
 * see what was wrong. Ends the connection beyond `readOutBytesMax`; the time of the request bounds it too.
 */
export function readOut(request: IncomingMessage): void {
  let left: number = GATEWAY_LIMITS.readOutBytesMax;
  request.on('data', (chunk: Uint8Array) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
}
