/** The page as a real gateway serves it: a receipt of that gateway, verified in a real browser, without a request for anything else. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, openGateway } from './gateway-world.ts';
import { launch, openPage, SKIPPED } from './verify-page-world.ts';

describe.skipIf(SKIPPED)(`the page at /verify${SKIPPED ? ' (skipped: there is no Chromium on this machine)' : ''}`, () => {
  let gateway: Gateway;
  let browser: Browser;
  beforeAll(async () => {
    gateway = await openGateway();
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await gateway.close();
  });

  it('HTTP-060: verifies what this gateway recorded; a copy on the disk says the same', { timeout: 60_000 }, async () => {
    const { dataDir, url } = gateway.ready;
    const { body } = await gateway.call('database.query', { sql: 'DROP TABLE users' });
    const out = join(dataDir, 'receipt.countersign.json');
    expect((await gateway.cli(['receipt', 'bundle', String(body['receipt_id']), '--out', out])).code).toBe(0);
    const copy = join(dataDir, 'verify.html');
    expect((await gateway.cli(['verify', '--page', copy])).code).toBe(0);
    const files = [{ name: 'receipt.countersign.json', bytes: await readFile(out) }];
    const vkeys = [(await readFile(join(dataDir, 'log.vkey'), 'utf8')).trim()];
    const shown = [];
    for (const address of [`${url}/verify`, `file://${copy}`]) {
      const world = await openPage(browser, { url: address });
      await world.setTrust({ vkeys });
      await world.check(files);
      shown.push(await world.results());
      expect(await world.page.isVisible('#served')).toBe(address.startsWith('http'));
      const requests = [...world.requests];
      await world.close();
      expect([requests, world.complaints]).toEqual([[address], []]);
    }
    expect(shown[0]).toMatchObject([{ ok: true, badge: 'VERIFIED', subject: { id: body['receipt_id'] } }]);
    expect(shown[0]?.[0]?.entry).toContain('deny');
    expect(shown[1]).toEqual(shown[0]);
  });

  it('may not be framed, and its policy as a header is that of the page', async () => {
    const response = await fetch(`${gateway.ready.url}/verify`);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-.*; frame-ancestors 'none'$/);
    expect(await response.text()).toContain(policy.replace("; frame-ancestors 'none'", ''));
    const again = await fetch(`${gateway.ready.url}/verify`, { headers: { 'if-none-match': response.headers.get('etag') ?? '' } });
    expect(again.status).toBe(304);
  });
});
