import { guardQuestions } from '@countersign/policy';
import type { GuardAnswer } from '@countersign/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { actionOf, compiled, resolved, understanding } from '../../policy/test/support.ts';
import { outsideOf } from '../src/open-for-policy.ts';
import { json, type LocalSource, openLocalSource, StillWorld } from './local-source.ts';

const KEY = ['k', 'e', 'y'].join('') + '-0123456789';
const NAMES: Readonly<Record<string, string>> = { VT_KEY: KEY, GSB_KEY: KEY, SNYK: KEY, ORG: 'org-7' };
const secrets = (name: string): string | undefined => NAMES[name];
const open: LocalSource[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function source(body: unknown): Promise<LocalSource> {
  const at = await openLocalSource(json(body));
  open.push(at);
  return at;
}

const policyOf = (...entries: readonly string[]): string =>
  `extends: permissive\nguards:\n  custom:\n${entries.map((entry) => `    - ${entry}\n`).join('')}`;

/** All that an action asks under this policy, and what it is told. */
async function told(policy: string, action: ReturnType<typeof actionOf>): Promise<readonly GuardAnswer[]> {
  const outside = outsideOf(resolved(policy), Object.assign(new StillWorld(), { secrets }));
  if (!outside.ok || outside.value === undefined) throw new Error(JSON.stringify(outside));
  expect(await outside.value.probe()).toEqual({ ok: true, value: undefined });
  const facts = understanding.understand(action, []);
  const answers = await outside.value.answers(guardQuestions(compiled(policy), { action, facts, state: {} }));
  await outside.value.close();
  return answers;
}

function faultsOf(...entries: readonly string[]): readonly unknown[] {
  const outside = outsideOf(resolved(policyOf(...entries)), Object.assign(new StillWorld(), { secrets }));
  return outside.ok ? [] : outside.error.map(({ code, path }) => [code, path]);
}

const stats = { malicious: 1, suspicious: 0, harmless: 9, undetected: 2 };

describe('POL-189 from a policy to whom it asks', () => {
  test('virustotal: its key, its address, files and URLs', async () => {
    const id = 'e'.repeat(64);
    const at = await source({ data: { type: 'url', id, attributes: { last_analysis_stats: stats } } });
    const policy = policyOf(`{package: clawdstrike-virustotal, config: {api_key: "\${VT_KEY}", base_url: "${at.url}/api/v3/"}}`);
    const [answer] = await told(policy, actionOf({ kind: 'net.egress', params: { url: 'https://one.example.com/a' } }));
    expect(answer).toMatchObject({ guard: 'clawdstrike-virustotal', status: 'ok', answer: { known: true, malicious: 1 } });
    expect(at.asked[0]).toMatchObject({
      method: 'GET',
      url: `/api/v3/urls/${Buffer.from('https://one.example.com/a').toString('base64url')}`,
    });
    expect(at.asked[0]?.headers['x-apikey']).toBe(KEY);
    const write = actionOf({ kind: 'file.write', params: { path: '/srv/a' }, content: 'a' });
    // It answers about a URL, whatever it is asked.
    expect(await told(policy, write)).toMatchObject([{ status: 'unavailable', reason: 'answer_unknown_form' }]);
  });

  test('safe browsing: its key, its client', async () => {
    const at = await source({});
    const policy = policyOf(
      `{package: clawdstrike-safe-browsing, config: {api_key: "\${GSB_KEY}", client_id: "\${ORG}", client_version: "2.0", base_url: "${at.url}/v4"}}`,
    );
    const answers = await told(policy, actionOf({ kind: 'net.egress', params: { url: 'https://one.example.com/a' } }));
    expect(answers).toMatchObject([{ guard: 'clawdstrike-safe-browsing', status: 'ok', answer: { threats: [] } }]);
    expect(at.asked[0]?.url).toBe(`/v4/threatMatches:find?key=${KEY}`);
    expect(JSON.parse(at.asked[0]?.body ?? '')).toMatchObject({ client: { clientId: 'org-7', clientVersion: '2.0' } });
  });

  test('snyk: its token, its org', async () => {
    const at = await source({ ok: true, vulnerabilities: [] });
    const policy = policyOf(
      `{package: clawdstrike-snyk, config: {api_token: "\${secrets.SNYK}", org_id: "\${ORG}", base_url: "${at.url}/api/v1"}}`,
    );
    const write = actionOf({ kind: 'file.write', params: { path: '/srv/package.json' }, content: '{}' });
    expect(await told(policy, write)).toMatchObject([
      { guard: 'clawdstrike-snyk', status: 'ok', answer: { vulnerabilities: { high: 0 } } },
    ]);
    expect(at.asked[0]?.headers.authorization).toBe(`token ${KEY}`);
    expect(JSON.parse(at.asked[0]?.body ?? '')).toEqual({ orgId: 'org-7', targetFile: 'package.json', manifest: '{}' });
  });

  test('every fault is named, with its place, and no secret in it', () => {
    expect(
      faultsOf(
        '{package: clawdstrike-virustotal, config: {api_key: "${VT_OTHER}", base_url: "http://vt.example"}}',
        '{package: clawdstrike-safe-browsing, config: {api_key: "${GSB_KEY}", client_id: "${NO_CLIENT}"}}',
        `{package: acme-deny, sha256: ${'ab'.repeat(32)}}`,
      ),
    ).toEqual([
      ['policy_endpoint', 'guards.custom[0].config.base_url'],
      ['policy_secret_missing', 'guards.custom[0].config.api_key'],
      ['policy_secret_missing', 'guards.custom[1].config.client_id'],
      ['guard_package_missing', 'guards.custom[2]'],
    ]);
  });

  test('what is off needs nothing', () => {
    const entry = `{package: acme-deny, enabled: false, sha256: ${'ab'.repeat(32)}}`;
    expect(outsideOf(resolved(policyOf(entry)), Object.assign(new StillWorld(), { secrets }))).toEqual({ ok: true, value: undefined });
  });
});
