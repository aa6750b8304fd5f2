/** The built file: one text, its policy names exactly what is in it, and equal sources give equal bytes. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { contentSecurityPolicyOf, VERIFY_PAGE } from '@countersign/verifier';
import { beforeAll, describe, expect, it } from 'vitest';

const TOOL = fileURLToPath(new URL('../tools/build-page.mjs', import.meta.url));
/** A page that grows beyond this has taken something in that it does not need. */
const BYTES_MAX = 131_072;

function build(): { said: string; page: string } {
  const built = spawnSync(process.execPath, [TOOL], { encoding: 'utf8' });
  expect(built.stderr).toBe('');
  return { said: built.stdout, page: readFileSync(VERIFY_PAGE, 'utf8') };
}

let page: string;
let said: string;
beforeAll(() => {
  ({ page, said } = build());
});

function inside(tag: 'script' | 'style'): string {
  const found = [...page.matchAll(new RegExp(`<${tag}[^>]*>([^]*?)</${tag}>`, 'g'))];
  expect(found.length).toBe(1);
  return found[0]?.[1] ?? '';
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

describe('the built page', () => {
  it('allows its own script and style, by hash, and nothing else', () => {
    const policy = contentSecurityPolicyOf(page)?.split('; ');
    expect(policy).toEqual([
      "default-src 'none'",
      `script-src ${hashOf(inside('script'))}`,
      `style-src ${hashOf(inside('style'))}`,
      'img-src data:',
      "base-uri 'none'",
      "form-action 'none'",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
      "frame-ancestors 'none'",
    ]);
  });

  it('names no address, and has no handler, style or import that would need one', () => {
    const addresses = page.match(/(?:https?|wss?):\/\/[^\s"'`)]+/g) ?? [];
    expect(addresses.filter((address) => address !== 'http://www.w3.org/2000/svg')).toEqual([]);
    expect(page.match(/<[^>]+\s(?:on[a-z]+|style|src)=/g)).toBeNull();
    expect(inside('script')).not.toMatch(/\bimport\s*[({"']|\bfetch\(|XMLHttpRequest|sendBeacon|WebSocket|innerHTML|localStorage/);
  });

  it('has no signer and nothing of Node', () => {
    expect(inside('script')).not.toMatch(/node:|createPrivateKey|ags_|PKCS/);
    // A page that came over plain HTTP has no WebCrypto.
    expect(inside('script')).not.toMatch(/\bsubtle\b/);
  });

  it(`has at most ${BYTES_MAX} bytes, says how many, and is the same twice`, () => {
    const bytes = Buffer.byteLength(page);
    expect(bytes).toBeLessThanOrEqual(BYTES_MAX);
    expect(said).toMatch(new RegExp(`^${bytes} bytes, \\d+ compressed, sha256 ${createHash('sha256').update(page).digest('hex')}\n$`));
    expect(build().page).toBe(page);
  });
});
