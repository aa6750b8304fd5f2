/** What the server makes of the built page, and of one that is not there. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readVerifyPage } from '../src/verify-page.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-page-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function read(html: string | undefined): { page: ReturnType<typeof readVerifyPage>; warnings: readonly string[] } {
  const file = join(folder, 'verify.html');
  rmSync(file, { force: true });
  if (html !== undefined) writeFileSync(file, html);
  const warnings: string[] = [];
  return { page: readVerifyPage((text) => void warnings.push(text), pathToFileURL(file)), warnings };
}

describe('the page of /verify', () => {
  it('is given with its own policy, and what only a header can say', () => {
    const html = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-x'" />`;
    const contentSecurityPolicy = "default-src 'none'; script-src 'sha256-x'; frame-ancestors 'none'";
    expect(read(html)).toEqual({ page: { html, contentSecurityPolicy }, warnings: [] });
  });

  it.each([
    ['is not there', undefined],
    ['is empty', ''],
    ['has no policy', '<!doctype html><script>1</script>'],
    ['has a policy that ends early', `<meta http-equiv="Content-Security-Policy" content="default-src 'none'`],
  ])('that %s is not given, and the server says what to do', (_name, html) => {
    expect(read(html)).toEqual({ page: undefined, warnings: [expect.stringMatching(/not built.*npm run build/)] });
  });
});
