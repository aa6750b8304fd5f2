/** @module The page that the gateway gives at `/verify`: read once at start, as it was built. */
import { readFileSync } from 'node:fs';
import type { VerifyPage } from '@countersign/gateway';
import { codeOf } from '@countersign/kernel';
import { contentSecurityPolicyOf, VERIFY_PAGE } from '@countersign/verifier';

function readText(file: URL): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** The page, or undefined where it was not built: a gateway without it judges and records all the same, and says so. */
export function readVerifyPage(warn: (message: string) => void, file: URL = VERIFY_PAGE): VerifyPage | undefined {
  const html = readText(file);
  const contentSecurityPolicy = contentSecurityPolicyOf(html);
  if (contentSecurityPolicy !== undefined) return { html, contentSecurityPolicy };
  warn('the page for /verify is not built, so that /verify is not served; `npm run build` makes it');
  return undefined;
}
