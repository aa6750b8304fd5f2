/** The page for everybody: by the keyboard alone, at both ends of screens, in light and in dark. Pictures go to the temporary folder. */
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { filesOf, RECEIPT, RECEIPT_FILE, RECEIPT_TEXT, saying, utf8, vector } from './verify-page-files.ts';
import { buildPage, closeQuiet, launch, type Look, openPage, SKIPPED, type VerifyPage } from './verify-page-world.ts';

const SHOTS = join(tmpdir(), 'countersign-verify-page');

describe.skipIf(SKIPPED)(`the page for everybody${SKIPPED ? ' (skipped: there is no Chromium on this machine)' : ''}`, () => {
  let browser: Browser;
  const opened: VerifyPage[] = [];
  const open = async (look: Look = {}): Promise<VerifyPage> => {
    const world = await openPage(browser, look);
    opened.push(world);
    return world;
  };

  beforeAll(async () => {
    buildPage();
    mkdirSync(SHOTS, { recursive: true });
    browser = await launch();
  });
  afterAll(() => browser.close());
  afterEach(() => closeQuiet(opened));

  it('the keyboard alone gives a key and a file, opens a result, and always shows where it is', { timeout: 60_000 }, async () => {
    const world = await open();
    const { page } = world;
    // Asked for long before the key that opens it: the browser learns of it on another way than of the key, and may learn later.
    const chooser = page.waitForEvent('filechooser');
    const here = (): Promise<{ name: string; ring: number }> =>
      page.evaluate(() => {
        const active = document.activeElement;
        if (active === null) return { name: '', ring: 0 };
        const seen = active.id === 'picker' ? document.querySelector('.button') : active;
        const ring = seen === null ? 0 : Number.parseFloat(getComputedStyle(seen).outlineWidth);
        return { name: active.id === '' ? `${active.localName}.${active.className}` : active.id, ring };
      });
    const stops: string[] = [];
    const tabTo = async (name: string): Promise<void> => {
      for (let i = 0; i < 12; i += 1) {
        await page.keyboard.press('Tab');
        const stop = await here();
        stops.push(stop.name);
        expect(stop.ring, stop.name).toBeGreaterThanOrEqual(2);
        if (stop.name === name) return;
      }
      throw new Error(`no ${name} among ${stops.join(', ')}`);
    };
    await tabTo('log-keys');
    await page.keyboard.insertText(RECEIPT.trust.vkeys[0] ?? '');
    await tabTo('picker');
    await page.keyboard.press('Space');
    await (
      await chooser
    ).setFiles([
      { name: 'a.json', mimeType: '', buffer: Buffer.from(RECEIPT_TEXT) },
      { name: 'b.json', mimeType: '', buffer: Buffer.from(RECEIPT_TEXT) },
    ]);
    await world.done();
    await tabTo('only-faults');
    await tabTo('clear');
    await tabTo('summary.result-head');
    await page.keyboard.press('Enter');
    expect(await page.locator('.result').first().getAttribute('open')).toBe('');
    await page.waitForSelector('.result .entry');
    // A further file checks the list again: the place of the keyboard, and what was opened, stay.
    await page.setInputFiles('#picker', { name: 'c.json', mimeType: '', buffer: Buffer.from(RECEIPT_TEXT) });
    await page.waitForSelector('[data-name="c.json"]');
    await world.done();
    expect(await page.evaluate(() => document.activeElement?.closest('.result')?.getAttribute('data-name'))).toBe('a.json');
    expect(await page.locator('.result .entry').count()).toBe(1);
    expect((await world.results())[0]).toMatchObject({ ok: true });
  });

  it.each([
    [360, 'light'],
    [360, 'dark'],
    [1440, 'light'],
    [1440, 'dark'],
  ] as const)('at %i pixels, %s: nothing is cut off, every text has contrast AA, nothing jumps', async (width, scheme) => {
    const world = await open({
      width,
      scheme,
      before: () => {
        const shifts: number[] = [];
        Object.assign(globalThis, { shifts });
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value);
        }).observe({ type: 'layout-shift', buffered: true });
      },
    });
    const { page } = world;
    const look = async (name: string): Promise<void> => {
      await page.screenshot({ path: join(SHOTS, `${name}-${width}-${scheme}.png`), fullPage: true });
      expect(await page.evaluate(CUT_OFF), name).toEqual([]);
      expect(await page.evaluate(LOW_CONTRAST), name).toEqual([]);
    };
    await look('empty');
    await page.fill('#log-keys', RECEIPT.trust.vkeys[0] ?? '');
    await world.check([RECEIPT_FILE]);
    expect(await page.evaluate(() => (globalThis as unknown as { shifts: number[] }).shifts)).toEqual([]);
    await look('one');
    await world.setTrust(RECEIPT.trust);
    const far = {
      name: `${'long-name-without-a-break'.repeat(12)}.json`,
      bytes: saying((body) => Object.assign(body, { session: 's'.repeat(120) })),
    };
    await world.check([...filesOf(vector('session: entry in the middle missing')), far, { name: 'notes.txt', bytes: utf8('hello') }]);
    await page.click('[data-name="notes.txt"] summary');
    await page.locator('.result').nth(1).locator('summary').first().click();
    await page.waitForSelector('[data-ok="true"] .entry');
    await look('many');
    await page.fill('#witness-keys', 'nonsense');
    await page.fill('#quorum', '2');
    await world.done();
    await look('keys');
  });
});

/** Runs in the page: every element that reaches beyond the page on its right. */
const CUT_OFF = `[...document.body.querySelectorAll('*')].filter((element) => element.checkVisibility() && element.id !== 'picker')
  .filter((element) => element.getBoundingClientRect().right > document.documentElement.clientWidth)
  .map((element) => element.localName + '.' + element.className)`;

/** Runs in the page: every text whose colour is closer to what is behind it than WCAG 2.2 AA allows. */
const LOW_CONTRAST = `(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const luminance = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  const behind = (element) => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    throw new Error('nothing is behind');
  };
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.textContent.trim() === '' || ['SCRIPT', 'STYLE', 'NOSCRIPT'].includes(element.tagName) || !element.checkVisibility()) continue;
    const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(element.className + ' ' + ratio.toFixed(2) + ' ' + walker.currentNode.textContent.slice(0, 30));
  }
  return low;
})()`;
