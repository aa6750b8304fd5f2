/**
 * @module What `npm start` says when it is ready: where it listens, who may speak, and what to paste next.
 */
import { agentJwtKey, mintAgentJwt } from '@countersign/crypto';
import type { StartCredentials } from './first-start.ts';

export interface BannerFacts {
  readonly url: string;
  /** Where the hushd door listens, where there is one. */
  readonly hushdUrl?: string;
  readonly dataDir: string;
  readonly logKey: string;
  readonly policy: string;
  readonly credentials: StartCredentials;
  /** Receipt of the action judged at start, with its decision. */
  readonly first: { readonly decision: string; readonly receipt: string | null };
  readonly nowSeconds: number;
}

const TOKEN_TTL_SECONDS = 3600;

/** One JSON line for scripts. */
export function readyLine({ url, hushdUrl, dataDir, credentials }: BannerFacts): string {
  const { apiKey, agentId, agentSecret } = credentials;
  return JSON.stringify({ url, ...(hushdUrl === undefined ? {} : { hushdUrl }), apiKey, agentId, agentSecret, dataDir });
}

function curl(facts: BannerFacts, sql: string): string {
  const { agentId, agentSecret, apiKey } = facts.credentials;
  const claims = { sub: agentId, iss: 'countersign-start', iat: facts.nowSeconds, exp: facts.nowSeconds + TOKEN_TTL_SECONDS };
  const token = mintAgentJwt({ key: agentJwtKey(agentSecret), claims });
  const body = JSON.stringify({ tool: 'database.query', params: { sql }, target_url: '' });
  return [
    `  curl -s ${facts.url}/v1/proxy \\`,
    `    -H 'content-type: application/json' -H 'x-ag-key: ${apiKey}' \\`,
    `    -H 'authorization: Bearer ${token}' \\`,
    `    -d '${body}'`,
  ].join('\n');
}

/** The text for a person. */
export function banner(facts: BannerFacts): string {
  const { url, hushdUrl, credentials, first } = facts;
  const hushd = hushdUrl === undefined ? '' : `\n  hushd       ${hushdUrl} (keys: hushd.json of the data directory)`;
  return `
Countersign is ready: every action is countersigned, or it does not happen.

  gateway     ${url}${hushd}
  policy      ${facts.policy} (this org is learning: unknown tools are warned of, not refused)
  data        ${facts.dataDir}
  log key     ${facts.logKey}
  first act   ${first.decision}, receipt ${first.receipt ?? 'none'}

  API key     ${credentials.apiKey}
  agent       ${credentials.agentId}
  secret      ${credentials.agentSecret}

Paste this into another terminal: a question that is allowed, and one that is not.
(The token in it is good for an hour.)

${curl(facts, 'SELECT name FROM users WHERE id = 5')}

${curl(facts, 'DROP TABLE users')}

Each answer names its receipt. Then, without trusting this server:

  npx countersign receipt bundle RECEIPT_ID --out receipt.json
  npx countersign verify receipt.json
  npx countersign replay receipt.json

Stop with Ctrl-C.
`;
}
