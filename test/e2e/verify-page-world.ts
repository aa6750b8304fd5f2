/** @module The built page in a real Chromium: opening it, giving it keys and files, and reading back what it shows. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Check, Trust } from '@countersign/receipts/verify';
import { type Browser, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { findBrowser } from '../../scripts/browser.mjs';

export const PAGE_FILE = new URL('../../apps/verifier/dist/verify.html', import.meta.url);
const TOOL = fileURLToPath(new URL('../../apps/verifier/tools/build-page.mjs', import.meta.url));

/** Chromium must keep to itself: what it does on its own account would look like the page's. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const BROWSER_PATH: string | undefined = findBrowser();
/** Continuous integration has one (scripts/browser.mjs), or fails here. */
export const SKIPPED = BROWSER_PATH === undefined && (process.env['CI'] ?? '') === '';

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: BROWSER_PATH ?? 'chromium', args: FLAGS });
}

/** The page of these sources, whatever was built before. */
export function buildPage(): void {
  const built = spawnSync(process.execPath, [TOOL], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`the page could not be built: ${built.stderr}`);
}

export interface Shown {
  readonly name: string;
  readonly ok: boolean;
  readonly badge: string;
  readonly refused: string | undefined;
  readonly checks: readonly Check[];
  readonly subject: Readonly<Record<string, string>>;
  readonly entry: string;
}

export interface ShownSession {
  readonly session: string;
  readonly ok: boolean;
  readonly end: string;
  /** How many of its entries are here. */
  readonly entries: number;
  readonly badge: string;
  readonly checks: readonly Check[];
}

export interface Given {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface VerifyPage {
  readonly page: Page;
  /** URLs of every request, the page's own among them. */
  readonly requests: readonly string[];
  /** What the console, the policy or an exception complained of. */
  readonly complaints: readonly string[];
  setTrust(trust: Trust, asked?: { readonly now?: string | undefined; readonly seen?: string | undefined }): Promise<void>;
  /** Removes what is there, gives these through the picker, and waits until they are checked. */
  check(files: readonly Given[]): Promise<void>;
  done(): Promise<void>;
  headline(): Promise<string>;
  results(): Promise<readonly Shown[]>;
  sessions(): Promise<readonly ShownSession[]>;
  close(): Promise<void>;
}

export interface Look {
  readonly url?: string;
  readonly width?: number;
  readonly scheme?: 'light' | 'dark';
  /** Runs in the page before its script. */
  readonly before?: () => void;
}

/** Runs in the page: every check below an element. */
const READ_RESULTS = `(() => {
  const checksOf = (root) => [...root.querySelectorAll('.check')].map((item) => ({
    name: item.dataset.check, status: item.dataset.status, code: item.dataset.code, sentence: item.querySelector('.sentence').textContent,
  }));
  const rowsOf = (root) => Object.fromEntries([...root.querySelectorAll('.subject dt')].map((dt) => [dt.textContent, dt.nextElementSibling.textContent]));
  const files = [...document.querySelectorAll('.result')].map((root) => ({
    name: root.dataset.name, ok: root.dataset.ok === 'true', badge: root.querySelector('.badge').textContent, refused: root.dataset.refused,
    checks: checksOf(root), subject: rowsOf(root), entry: root.querySelector('.entry')?.textContent ?? '',
  }));
  const sessions = [...document.querySelectorAll('.session')].map((root) => ({
    session: root.dataset.session, ok: root.dataset.ok === 'true', end: root.dataset.end, entries: Number(root.dataset.entries), badge: root.querySelector('.badge').textContent,
    checks: checksOf(root),
  }));
  return { files, sessions };
})()`;

export async function openPage(browser: Browser, look: Look = {}): Promise<VerifyPage> {
  const context = await browser.newContext({
    viewport: { width: look.width ?? 1440, height: 900 },
    colorScheme: look.scheme ?? 'light',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => void requests.push(request.url()));
  page.on('console', (message) => void complaints.push(message.text()));
  page.on('pageerror', (error) => void complaints.push(error.message));
  if (look.before !== undefined) await page.addInitScript(look.before);
  await page.goto(look.url ?? PAGE_FILE.href);
  await page.waitForSelector('body[data-state="empty"]');
  const read = async (): Promise<{ files: readonly Shown[]; sessions: readonly ShownSession[] }> => page.evaluate(READ_RESULTS);
  const done = async (): Promise<void> => void (await page.waitForSelector('body[data-state="done"]'));
  return {
    page,
    requests,
    complaints,
    done,
    async setTrust({ vkeys, receiptKeys = [], witnessKeys = [], quorum }, { now = '', seen = '' } = {}) {
      await page.locator('.more').evaluate((more) => more.setAttribute('open', ''));
      await page.fill('#log-keys', vkeys.join('\n'));
      await page.fill('#receipt-keys', receiptKeys.join('\n'));
      await page.fill('#witness-keys', witnessKeys.join('\n'));
      await page.fill('#quorum', quorum === undefined ? '' : String(quorum));
      await page.fill('#now', now);
      await page.fill('#seen', seen);
    },
    async check(files) {
      if (await page.locator('#clear').isVisible()) await page.click('#clear');
      await page.waitForSelector('body[data-state="empty"]');
      const given = files.map(({ name, bytes }) => ({ name, mimeType: 'application/json', buffer: Buffer.from(bytes) }));
      await page.setInputFiles('#picker', given);
      await done();
    },
    headline: async () => (await page.textContent('#status')) ?? '',
    results: async () => (await read()).files,
    sessions: async () => (await read()).sessions,
    close: () => context.close(),
  };
}

/** Closes pages of the file. Whatever a test did: nobody was asked for anything but the page, and nothing was complained of. */
export async function closeQuiet(worlds: VerifyPage[]): Promise<void> {
  for (const world of worlds.splice(0)) {
    const requests = [...world.requests];
    await world.close();
    expect([requests, world.complaints]).toEqual([[PAGE_FILE.href], []]);
  }
}
