/**
 * @module Where the built page is, and what it may do: `dist/verify.html` is one file with its script and style inside, which needs
 * neither this package nor a network. Whoever serves it repeats its own policy as a header.
 */

/** The built page. It is there after `npm run build`. */
export const VERIFY_PAGE: URL = new URL('../dist/verify.html', import.meta.url);

const POLICY = /<meta http-equiv="Content-Security-Policy" content="([^"<>]+)" \/>/;

/** The policy that a page carries, with what only a header can say: nobody may frame it. Undefined for a text that is not our page. */
export function contentSecurityPolicyOf(page: string): string | undefined {
  const policy = POLICY.exec(page)?.[1];
  return policy === undefined ? undefined : `${policy}; frame-ancestors 'none'`;
}
