/** The page in a real Chromium: it says what Node says of every file, never more, to everybody, and to nobody else. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonValue } from '@countersign/kernel';
import { type Check, verifyBundle, verifyConsistencyFile, verifySession } from '@countersign/receipts/verify';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PAGE_LIMITS } from '../../apps/verifier/src/page/limits.ts';
import {
  CONSISTENCY,
  filesOf,
  RECEIPT,
  RECEIPT_FILE,
  RECEIPT_TEXT,
  saying,
  SESSION_FILES,
  SESSIONS,
  SINGLE,
  utf8,
  vector,
  WHOLE,
} from './verify-page-files.ts';
import { buildPage, closeQuiet, type Given, launch, type Look, openPage, SKIPPED, type VerifyPage } from './verify-page-world.ts';

/** Numbers from a seed (mulberry32): the same bits are flipped in every run. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

const shown = ({ name, status, code, sentence }: Check): Check => ({ name, status, code, sentence });
const isCheck = (value: unknown): value is Check => typeof value === 'object' && value !== null && 'sentence' in value;

describe.skipIf(SKIPPED)(`the page that verifies${SKIPPED ? ' (skipped: there is no Chromium on this machine)' : ''}`, () => {
  let browser: Browser;
  const opened: VerifyPage[] = [];
  const open = async (look: Look = {}): Promise<VerifyPage> => {
    const world = await openPage(browser, look);
    opened.push(world);
    return world;
  };

  beforeAll(async () => {
    buildPage();
    browser = await launch();
  });
  afterAll(() => browser.close());
  afterEach(() => closeQuiet(opened));

  describe('says what Node says', () => {
    it('BNDL-010, BNDL-011: of every single file of the vectors, check by check', { timeout: 120_000 }, async () => {
      const world = await open();
      const trusts = new Map(SINGLE.map(({ trust }) => [JSON.stringify(trust), trust]));
      expect(trusts.size).toBeGreaterThan(2);
      for (const [key, trust] of trusts) {
        const among = SINGLE.filter((one) => JSON.stringify(one.trust) === key);
        await world.setTrust(trust);
        await world.check(among.flatMap(filesOf));
        const results = await world.results();
        expect(results.map(({ name }) => name)).toEqual(among.flatMap(filesOf).map(({ name }) => name));
        for (const [at, { name, bundles, ok }] of among.entries()) {
          const report = await verifyBundle(utf8(bundles[0] ?? ''), trust);
          const result = results[at];
          expect(result?.checks, name).toEqual(report.checks.map(shown));
          expect([result?.ok, result?.badge], name).toEqual([report.ok, report.ok ? 'VERIFIED' : 'NOT VERIFIED']);
          expect(result?.ok, name).toBe(ok);
          const { subject = {} } = report;
          expect(result?.subject, name).toEqual(
            Object.fromEntries(Object.entries(subject).map(([member, value]) => [member, String(value)])),
          );
        }
      }
    });

    it.each(SESSIONS.map((one) => [one.name, one] as const))('BNDL-020, BNDL-022, BNDL-023: %s', async (_name, one) => {
      const world = await open();
      await world.setTrust(one.trust, { now: one.now });
      await world.check(filesOf(one));
      const report = await verifySession(
        one.bundles.map((text) => utf8(text)),
        one.trust,
        one.now === undefined ? {} : { now: one.now },
      );
      const [session, ...others] = await world.sessions();
      expect(others).toEqual([]);
      expect(session?.checks).toEqual(Object.values(report).filter(isCheck).map(shown));
      expect([session?.ok, session?.end]).toEqual([report.ok, report.end]);
      expect(session?.ok).toBe(one.ok);
      expect((await world.results()).map(({ ok }) => ok)).toEqual(report.bundles.map(({ ok }) => ok));
      expect(await world.headline()).toContain(one.ok ? `All ${one.bundles.length} files are verified.` : 'not whole');
    });

    it('BNDL-020, BNDL-023: of every session of the vectors whose files say that they are of one', { timeout: 120_000 }, async () => {
      const world = await open();
      let whole = 0;
      for (const { name, files, trust, now, expect: wanted } of SESSION_FILES.filter((one) => one.files.length > 0)) {
        const bytes = files.map((text) => utf8(text));
        await world.setTrust(trust, { now });
        await world.check(bytes.map((one, at) => ({ name: `${at}`, bytes: one })));
        const report = await verifySession(bytes, trust, now === undefined ? {} : { now });
        expect(
          (await world.results()).map(({ checks }) => checks),
          name,
        ).toEqual(report.bundles.map(({ checks }) => checks.map(shown)));
        const [session, ...others] = await world.sessions();
        if (session === undefined || others.length > 0 || session.entries !== files.length) continue;
        whole += 1;
        expect(session.checks, name).toEqual(Object.values(report).filter(isCheck).map(shown));
        expect([session.ok, report.ok, session.end], name).toEqual([wanted.ok, wanted.ok, report.end]);
      }
      expect(whole).toBeGreaterThan(20);
    });

    it('BNDL-030, BNDL-031: of every consistency file of the vectors, with what was seen before', { timeout: 120_000 }, async () => {
      const world = await open();
      const settings = new Map(CONSISTENCY.map(({ trust, seen }) => [JSON.stringify([trust, seen]), { trust, seen }]));
      for (const [key, { trust, seen }] of settings) {
        const among = CONSISTENCY.filter((one) => JSON.stringify([one.trust, one.seen]) === key);
        await world.setTrust(trust, { seen });
        await world.check(among.map(({ name, file }) => ({ name: `${name}.countersign-consistency.json`, bytes: utf8(file) })));
        const results = await world.results();
        for (const [at, { name, file, expect: wanted }] of among.entries()) {
          const report = await verifyConsistencyFile(utf8(file), trust, seen);
          expect(results[at]?.checks, name).toEqual(report.checks.map(shown));
          expect([results[at]?.ok, report.ok], name).toEqual([wanted.ok, wanted.ok]);
        }
      }
    });

    it('of a consistency file whatever it is called', async () => {
      const first = CONSISTENCY.find(({ name }) => name === 'from 3 to 9');
      const world = await open();
      await world.setTrust({ ...RECEIPT.trust, vkeys: [...RECEIPT.trust.vkeys, ...(first?.trust.vkeys ?? [])] });
      await world.check([{ name: 'x.json', bytes: utf8(first?.file ?? '') }, RECEIPT_FILE]);
      const results = await world.results();
      expect(results.map(({ ok, checks }) => [ok, checks[0]?.name])).toEqual([
        [true, 'consistency-form'],
        [true, 'bundle-form'],
      ]);
      expect(results[0]?.subject).toMatchObject({ oldSize: '3', newSize: '9' });
      expect(await world.sessions()).toEqual([]);
    });

    it('of files from two sessions: each is a chain of its own', async () => {
      const world = await open();
      await world.setTrust(WHOLE.trust);
      await world.check([...filesOf(WHOLE), ...filesOf(vector('receipt with nothing disclosed'))]);
      expect(await world.sessions()).toMatchObject([{ ok: true, end: 'closed', badge: 'WHOLE SESSION' }]);
      expect((await world.results()).length).toBe(WHOLE.bundles.length + 1);
    });
  });

  describe('never says more', () => {
    it('BNDL-001: a bit that is another, anywhere in a file, is never VERIFIED', { timeout: 120_000 }, async () => {
      const seed = 20_261_125;
      const below = numbersFrom(seed);
      const files: Given[] = Array.from({ length: 200 }, (_, i) => {
        const bytes = utf8(SINGLE[i % 6]?.bundles[0] ?? '');
        const bit = below(bytes.length * 8);
        bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return { name: `seed ${seed}, file ${i}, bit ${bit}`, bytes };
      });
      const world = await open();
      await world.setTrust(RECEIPT.trust);
      await world.check(files);
      const results = await world.results();
      expect(results.length).toBe(files.length);
      expect(results.filter(({ ok, badge }) => ok || badge !== 'NOT VERIFIED').map(({ name }) => name)).toEqual([]);
      expect(await world.headline()).toContain('0 of 200 files are verified, 200 are not.');
    });

    it('a character of the key that is another verifies nothing', async () => {
      const below = numbersFrom(7);
      const [key = ''] = RECEIPT.trust.vkeys;
      const world = await open();
      await world.check([RECEIPT_FILE]);
      for (let i = 0; i < 12; i += 1) {
        const at = below(key.length);
        // The hash of a key is hex in either case.
        const other = /a/i.test(key[at] ?? '') ? 'B' : 'A';
        await world.page.fill('#log-keys', key.slice(0, at) + other + key.slice(at + 1));
        await world.done();
        expect(
          (await world.results()).map(({ ok }) => ok),
          `character ${at}`,
        ).toEqual([false]);
      }
    });

    it('without a log key nothing is verified; with it the same file is; a bad line in the box takes it back', async () => {
      const world = await open();
      await world.check([RECEIPT_FILE]);
      expect(await world.results()).toMatchObject([{ ok: false }]);
      expect(await world.headline()).toBe('The file is not verified.');
      const [key = ''] = RECEIPT.trust.vkeys;
      await world.page.fill('#log-keys', `# the log of the test\n\n  ${key}  \n${key}`);
      await world.done();
      expect(await world.results()).toMatchObject([{ ok: true }]);
      expect(await world.headline()).toBe('The file is verified.');
      await world.page.fill('#log-keys', `${key}\nnonsense`);
      await world.done();
      expect(await world.results()).toMatchObject([{ ok: false }]);
      expect(await world.page.textContent('#log-keys-note')).toMatch(/^line 2: not a verifier key/);
      expect(await world.page.getAttribute('#log-keys', 'aria-invalid')).toBe('true');
    });

    it('BNDL-013: a witness that was named and has not cosigned is no proof; nor is a number of them that cannot be', async () => {
      const world = await open();
      const cosigned = vector('cosigned, both witnesses trusted');
      await world.setTrust({ ...RECEIPT.trust, witnessKeys: cosigned.trust.witnessKeys ?? [] });
      await world.check([RECEIPT_FILE]);
      expect(await world.page.textContent('.check[data-check="cosignatures"][data-status="fail"]')).toContain('0 of 2 trusted witnesses');
      await world.check(filesOf(cosigned));
      expect(await world.results()).toMatchObject([{ ok: true }]);
      for (const bad of ['0', '3', 'x']) {
        await world.page.fill('#quorum', bad);
        await world.done();
        expect(await world.page.textContent('#quorum-note')).toBe('a number from 1 to 2, the witness keys above');
        expect(await world.results(), bad).toMatchObject([{ ok: false }]);
      }
      await world.page.fill('#quorum', '1');
      await world.done();
      expect(await world.results()).toMatchObject([{ ok: true }]);
    });

    it('while anything is checked again, nothing that was true of other keys is offered as an answer', async () => {
      const world = await open();
      await world.setTrust(RECEIPT.trust);
      await world.check([RECEIPT_FILE]);
      const busy = await world.page.evaluate(() => {
        const box = document.querySelector<HTMLTextAreaElement>('#log-keys');
        if (box === null) return undefined;
        box.value = '';
        box.dispatchEvent(new Event('input'));
        const results = document.querySelector('#results');
        return [document.body.dataset['state'], document.querySelector('#status')?.textContent, results?.getAttribute('aria-busy')];
      });
      expect(busy).toEqual(['working', 'Checking again…', 'true']);
      await world.done();
      expect(await world.results()).toMatchObject([{ ok: false }]);
    });
  });

  describe('treats what a file says as a stranger’s text', () => {
    it('markup stays text, unseen characters get names, and long texts are cut with a count', async () => {
      const markup = '<img src="https://127.0.0.1:9/x" onerror="document.title=1"><script>document.title=2</script>';
      const long = 'x'.repeat(PAGE_LIMITS.shownCharsMax + 1);
      const reasons = [markup, 'safe\u202Etxt.exe\u200B', long].map((text, i) => {
        return { code: `R${i}`, text, severity: 'high', score: 1, evidence: [] } satisfies JsonValue;
      });
      const world = await open();
      await world.setTrust(RECEIPT.trust);
      await world.check([
        {
          name: '<b>\u202Ename</b>.json',
          bytes: saying((body) => Object.assign(body['verdict'] as object, { reasons, decision: 'allow' })),
        },
      ]);
      const [result] = await world.results();
      expect(result).toMatchObject({ ok: false });
      expect(result?.entry).toContain('not verified: do not rely on it');
      expect(result?.entry).toContain(markup);
      expect(result?.entry).toContain('safe⟨U+202E⟩txt.exe⟨U+200B⟩');
      expect(result?.entry).toContain(`${'x'.repeat(PAGE_LIMITS.shownCharsMax)}… (1 characters more)`);
      expect(await world.page.textContent('.result-name')).toContain('<b>⟨U+202E⟩name</b>.json');
      expect(await world.page.evaluate(() => document.querySelectorAll('img, script:not([type="module"]), b, iframe').length)).toBe(0);
      expect(await world.page.title()).toBe('Verify receipts - Countersign');
    });

    it('lists of a stranger’s length are cut with a count, at n + 1 and not at n', async () => {
      const chain = (count: number): Given => ({
        name: String(count),
        bytes: saying((body) => {
          const [first] = (body['verdict'] as { reasons: JsonValue[] }).reasons;
          Object.assign(body['verdict'] as object, { reasons: Array.from({ length: count }, () => first ?? null) });
        }),
      });
      const world = await open();
      for (const [count, more] of [
        [PAGE_LIMITS.shownItemsMax, false],
        [PAGE_LIMITS.shownItemsMax + 1, true],
      ] as const) {
        await world.check([chain(count)]);
        expect((await world.results())[0]?.entry.includes('and 1 more')).toBe(more);
      }
    });

    it('shows verdict, reasons and principal of a receipt, and the whole entry on demand', async () => {
      const world = await open();
      await world.setTrust(RECEIPT.trust);
      await world.check([RECEIPT_FILE]);
      const [result] = await world.results();
      for (const text of ['deny', 'R900', 'Anything at all', 'org-1', '01930000-0000-7000-8000-000000000900', '/params/command', '0.930'])
        expect(result?.entry).toContain(text);
      await world.page.click('.whole summary');
      expect(JSON.parse((await world.page.textContent('.whole pre')) ?? '')).toEqual(
        (JSON.parse(RECEIPT_TEXT) as { entry: unknown }).entry,
      );
    });
  });

  describe('takes files', () => {
    it('that are dropped, and pasted as files or as text', async () => {
      const world = await open();
      await world.setTrust(RECEIPT.trust);
      const hand = (kind: 'drop' | 'paste' | 'paste-text', text: string): Promise<unknown> =>
        world.page.evaluate(
          ([how, content]) => {
            const data = new DataTransfer();
            if (how === 'paste-text') data.setData('text/plain', content);
            else data.items.add(new File([content], `${how}.json`));
            const init = { bubbles: true, cancelable: true };
            const event =
              how === 'drop'
                ? new DragEvent('drop', { ...init, dataTransfer: data })
                : new ClipboardEvent('paste', { ...init, clipboardData: data });
            document.body.dispatchEvent(event);
          },
          [kind, text] as const,
        );
      for (const [kind, count] of [
        ['drop', 1],
        ['paste', 2],
        ['paste-text', 3],
      ] as const) {
        await hand(kind, RECEIPT_TEXT);
        await world.page.waitForFunction((n) => document.querySelectorAll('.result').length === n, count);
      }
      await world.page.fill('#paste', RECEIPT_TEXT);
      await world.page.waitForFunction(() => document.querySelectorAll('.result').length === 4);
      await world.done();
      expect((await world.results()).map(({ name, ok }) => [name, ok])).toEqual([
        ['drop.json', true],
        ['paste.json', true],
        ['pasted text 1', true],
        ['pasted text 2', true],
      ]);
      expect(await world.page.inputValue('#paste')).toBe('');
    });

    it('that are no bundles: each says why, and the others are checked all the same', async () => {
      const world = await open();
      await world.setTrust(RECEIPT.trust);
      await world.check([
        { name: 'photo.jpg', bytes: Uint8Array.of(0xff, 0xd8) },
        { name: 'empty', bytes: new Uint8Array(0) },
        RECEIPT_FILE,
      ]);
      expect((await world.results()).map(({ ok }) => ok)).toEqual([false, false, true]);
      expect(await world.page.textContent('[data-name="photo.jpg"] .fault')).toMatch(/not a bundle/);
      expect(await world.headline()).toBe('1 of 3 files are verified, 2 are not.');
    });

    it('BNDL-001: up to 33,554,432 bytes; one more is not read', { timeout: 60_000 }, async () => {
      const world = await open();
      const folder = mkdtempSync(join(tmpdir(), 'countersign-large-'));
      const give = async (size: number): Promise<void> => {
        const file = join(folder, `${size}.json`);
        writeFileSync(file, '');
        truncateSync(file, size);
        await world.page.setInputFiles('#picker', file);
        await world.page.waitForSelector(`[data-name="${size}.json"]`);
        await world.done();
      };
      try {
        await give(PAGE_LIMITS.fileBytesMax);
        await give(PAGE_LIMITS.fileBytesMax + 1);
        expect((await world.results()).map(({ ok, refused, checks }) => [ok, refused, checks[0]?.code])).toEqual([
          [false, undefined, 'bundle_not_json'],
          [false, 'file_too_large', undefined],
        ]);
        expect(await world.page.locator('.fault').last().textContent()).toContain('33554433 bytes');
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });

    it('1,000 at once, and of 1,001 none', { timeout: 60_000 }, async () => {
      const empty = (count: number): readonly Given[] =>
        Array.from({ length: count }, (_, i) => ({ name: `${i}`, bytes: Uint8Array.of(i & 255) }));
      const world = await open();
      await world.check(empty(PAGE_LIMITS.filesMax));
      expect((await world.results()).length).toBe(1000);
      await world.page.setInputFiles('#picker', [{ name: 'one more', mimeType: '', buffer: Buffer.from('x') }]);
      await world.page.waitForFunction(() => document.querySelector('#problem')?.textContent !== '');
      expect(await world.page.textContent('#problem')).toBe('At most 1000 files at once, and these would be 1001. Nothing was added.');
      expect((await world.results()).length).toBe(1000);
    });

    it('200 at once, tells how far it is, and shows what is wrong among them', { timeout: 60_000 }, async () => {
      const files = Array.from({ length: 200 }, (_, i): Given => {
        const bytes = utf8(RECEIPT_TEXT);
        if (i === 150) bytes[200] = 0x7e;
        return { name: `file ${i}`, bytes };
      });
      const world = await open({
        before: () => {
          const seen = new Set<string>();
          Object.assign(globalThis, { seen });
          new MutationObserver(() => seen.add(document.querySelector('#status')?.textContent ?? '')).observe(document, {
            subtree: true,
            childList: true,
            characterData: true,
          });
        },
      });
      await world.setTrust(RECEIPT.trust);
      await world.check(files);
      const seen = await world.page.evaluate(() => [...(globalThis as unknown as { seen: Set<string> }).seen]);
      expect(seen.filter((text) => /^Checking: \d+ of 200 done…$/.test(text)).length).toBeGreaterThan(3);
      expect(await world.headline()).toContain('199 of 200 files are verified, 1 are not.');
      await world.page.check('#only-faults');
      expect(await world.page.locator('.result:visible').count()).toBe(1);
      expect(await world.page.locator('.result:visible').getAttribute('data-name')).toBe('file 150');
    });
  });

  describe('asks nobody', () => {
    it('its policy stops a script in it from reaching anyone', async () => {
      const hits: string[] = [];
      const server = createServer((request, response) => {
        hits.push(request.url ?? '');
        response.end();
      });
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
      try {
        const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        const world = await openPage(browser);
        await world.setTrust(RECEIPT.trust);
        await world.check([RECEIPT_FILE]);
        const violated = await world.page.evaluate(async (base) => {
          const seen: string[] = [];
          document.addEventListener('securitypolicyviolation', (event) => void seen.push(event.effectiveDirective));
          await fetch(`${base}/fetch`).catch(() => undefined);
          const image = new Image();
          image.src = `${base}/image`;
          await new Promise((resolve) => {
            image.addEventListener('error', resolve);
          });
          try {
            navigator.sendBeacon(`${base}/beacon`, 'x');
            document.body.innerHTML = '<p>x</p>';
          } catch {
            seen.push('trusted types');
          }
          const script = document.createElement('link');
          Object.assign(script, { rel: 'stylesheet', href: `${base}/style` });
          document.head.append(script);
          await new Promise((resolve) => {
            script.addEventListener('error', resolve);
          });
          return seen;
        }, origin);
        expect(violated).toEqual(expect.arrayContaining(['connect-src', 'img-src', 'style-src-elem', 'trusted types']));
        await world.close();
        expect(hits).toEqual([]);
      } finally {
        server.close();
      }
    });

    it('remembers nothing: a page that is opened again is empty, and nothing is stored', async () => {
      const world = await open();
      await world.setTrust(RECEIPT.trust);
      await world.check([RECEIPT_FILE]);
      const stored = await world.page.evaluate(async () => [
        localStorage.length,
        sessionStorage.length,
        document.cookie,
        (await indexedDB.databases()).length,
      ]);
      expect(stored).toEqual([0, 0, '', 0]);
      expect((await world.page.context().storageState()).origins).toEqual([]);
    });
  });
});
