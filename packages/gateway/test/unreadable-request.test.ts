import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { CodedError } from '@countersign/kernel';
import { expect, test } from 'vitest';
import { GATEWAY_LIMITS } from '../src/index.ts';
import { answerUnreadable, readOut } from '../src/unreadable-request.ts';

test.each([
  ['HPE_HEADER_OVERFLOW', 431, 'headers_too_large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408, 'request_timeout'],
  ['HPE_INVALID_METHOD', 400, 'malformed_request'],
])('HTTP-026: %s is answered in the form of every error', async (...[cause, status, code]) => {
  const socket = new PassThrough();
  answerUnreadable(new CodedError({ code: cause, message: 'a secret of the parser' }), socket);
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [A-Z]`));
  expect(head).toContain(`content-length: ${body.length}`);
  expect(JSON.parse(body)).toMatchObject({ error_code: code, allowed: false, action: 'block', receipt_id: null });
  expect(body).not.toContain('secret');
});

test('a connection that is gone is not written to', () => {
  const socket = new PassThrough();
  answerUnreadable(new CodedError({ code: 'ECONNRESET', message: 'gone' }), socket);
  expect([socket.destroyed, socket.readableLength]).toEqual([true, 0]);
});

test('a refused body is read out to n bytes, and its connection ended at n + 1', () => {
  let ended = 0;
  const request = Object.assign(new EventEmitter(), { destroy: () => (ended += 1) });
  readOut(request as unknown as IncomingMessage);
  request.emit('data', new Uint8Array(GATEWAY_LIMITS.readOutBytesMax));
  expect(ended).toBe(0);
  request.emit('data', new Uint8Array(1));
  expect(ended).toBe(1);
});
