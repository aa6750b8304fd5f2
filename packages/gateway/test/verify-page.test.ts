/** The page at `/verify`: one text for everybody, with the policy that keeps it to itself. */
import { sha256Hex } from '@countersign/crypto';
import { describe, expect, test } from 'vitest';
import { createWorld } from './world.ts';

const PAGE = { html: '<!doctype html><title>zürich</title>', contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'" };
const TAG = `"${sha256Hex(PAGE.html)}"`;

async function get(headers: Record<string, string> = {}, method: 'GET' | 'HEAD' | 'POST' = 'GET') {
  const { app } = await createWorld({ gateway: { verifyPage: PAGE } });
  return app.inject({ method, url: '/verify', headers });
}

describe('HTTP-060', () => {
  test('the page is given to anybody, byte for byte, with its policy', async () => {
    const answer = await get();
    expect([answer.statusCode, answer.body]).toEqual([200, PAGE.html]);
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-length': String(Buffer.byteLength(PAGE.html)),
      'content-security-policy': PAGE.contentSecurityPolicy,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
      etag: TAG,
    });
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  test.each([TAG, `W/${TAG}`, `"other", ${TAG}`, '*'])('who knows it (%s) gets 304 and no body', async (known) => {
    const answer = await get({ 'if-none-match': known });
    expect([answer.statusCode, answer.body, answer.headers.etag]).toEqual([304, '', TAG]);
    expect(answer.headers['content-security-policy']).toBe(PAGE.contentSecurityPolicy);
  });

  test.each(['"other"', '', TAG.slice(1, -1), `${TAG}x`])('who knows another (%s) gets it', async (known) => {
    expect((await get({ 'if-none-match': known })).statusCode).toBe(200);
  });

  test('HEAD has the headers without the page; a credential changes nothing; nothing is posted to it', async () => {
    const head = await get({}, 'HEAD');
    expect([head.statusCode, head.body, head.headers.etag]).toEqual([200, '', TAG]);
    expect((await get({ 'x-ag-key': 'nonsense', authorization: 'Bearer nonsense' })).body).toBe(PAGE.html);
    expect((await get({}, 'POST')).statusCode).toBe(404);
  });

  test('a gateway without the page has nothing there', async () => {
    const { app } = await createWorld();
    expect((await app.inject({ method: 'GET', url: '/verify' })).statusCode).toBe(404);
  });
});
