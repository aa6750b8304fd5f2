import type { JsonValue } from '@countersign/kernel';
import { afterEach, describe, expect, test } from 'vitest';
import type { Adapter } from '../src/asking.ts';
import { type Endpoint, readEndpoint } from '../src/json-http.ts';
import { INTEL_LIMITS } from '../src/limits.ts';
import { safeBrowsing } from '../src/safe-browsing.ts';
import { snyk } from '../src/snyk.ts';
import { virusTotal } from '../src/virustotal.ts';
import { json, type LocalSource, openLocalSource } from './local-source.ts';

const KEY = ['k', 'e', 'y'].join('') + '-0123456789';
const SHA = 'ab'.repeat(32);
const URL_ASKED = 'http://one.example/path?q=1';
const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

interface Asking {
  readonly ask: JsonValue;
  readonly adapter: (endpoint: Endpoint) => Adapter;
}

/** What the source was asked, and what came of it: the answer, or the reason that there is none. */
interface Bed {
  readonly at: LocalSource;
  readonly ask: (asking: Asking) => Promise<unknown>;
}

async function source(answer: Parameters<typeof openLocalSource>[0], path = ''): Promise<Bed> {
  const at = await openLocalSource(answer);
  open.push(() => at.close());
  const endpoint = readEndpoint(`${at.url}${path}`, 'here');
  if (!endpoint.ok) throw new Error(endpoint.error.message);
  const ask = async ({ ask: what, adapter }: Asking): Promise<unknown> => {
    try {
      return await adapter(endpoint.value).ask(what, new AbortController().signal);
    } catch (error) {
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain(KEY);
      return (error as { code?: unknown }).code;
    }
  };
  return { at, ask };
}

const stats = (malicious: number, suspicious = 0): object => ({ malicious, suspicious, harmless: 60, undetected: 4, timeout: 1 });
const report = (type: string, id: string, counts: object): object => ({ data: { type, id, attributes: { last_analysis_stats: counts } } });
const client = { apiKey: KEY, clientId: 'acme', clientVersion: '0.1.0' };
const file: Asking = { ask: { file: SHA }, adapter: (endpoint) => virusTotal(endpoint, KEY) };
const asksUrl: Asking = { ask: { url: URL_ASKED }, adapter: (endpoint) => virusTotal(endpoint, KEY) };
const safe: Asking = { ask: { url: URL_ASKED }, adapter: (endpoint) => safeBrowsing(endpoint, client) };
const asksSnyk = (manifest: string): Asking => ({
  ask: { manifest },
  adapter: (endpoint) => snyk(endpoint, { apiToken: KEY, orgId: 'org-1' }),
});
const manifest = asksSnyk('{"name":"demo"}');
const match = (threatType: string, url = URL_ASKED): object => ({
  threatType,
  platformType: 'ANY_PLATFORM',
  threatEntryType: 'URL',
  threat: { url },
});

describe('POL-185 what is asked of whom', () => {
  test('a file by its hash, with the key in a header', async () => {
    const { at, ask } = await source(json(report('file', SHA, stats(7, 1))), '/api/v3');
    expect(await ask(file)).toEqual({ known: true, malicious: 7, suspicious: 1, harmless: 60, undetected: 4 });
    expect(at.asked[0]).toMatchObject({ method: 'GET', url: `/api/v3/files/${SHA}`, body: '' });
    expect(at.asked[0]?.headers['x-apikey']).toBe(KEY);
  });

  test('a URL by its unpadded base64', async () => {
    const { at, ask } = await source(json(report('url', 'cd'.repeat(32), stats(0))));
    expect(await ask(asksUrl)).toMatchObject({ known: true, malicious: 0 });
    expect(at.asked[0]?.url).toBe(`/urls/${Buffer.from(URL_ASKED).toString('base64').replaceAll('=', '').replaceAll('/', '_')}`);
  });

  test('a URL against the four lists', async () => {
    const { at, ask } = await source(json({ matches: [match('SOCIAL_ENGINEERING'), match('MALWARE'), match('MALWARE')] }), '/v4');
    expect(await ask(safe)).toMatchObject({ threats: ['MALWARE', 'SOCIAL_ENGINEERING'] });
    const [asked] = at.asked;
    expect(asked).toMatchObject({ method: 'POST', url: `/v4/threatMatches:find?key=${KEY}` });
    expect(JSON.parse(asked?.body ?? '')).toEqual({
      client: { clientId: 'acme', clientVersion: '0.1.0' },
      threatInfo: {
        threatTypes: ['MALWARE', 'SOCIAL_ENGINEERING', 'UNWANTED_SOFTWARE', 'POTENTIALLY_HARMFUL_APPLICATION'],
        platformTypes: ['ANY_PLATFORM'],
        threatEntryTypes: ['URL'],
        threatEntries: [{ url: URL_ASKED }],
      },
    });
  });

  test('a manifest, and what it pulls in is counted', async () => {
    const list = [
      { severity: 'high', isUpgradable: true },
      { severity: 'high', isUpgradable: false, upgradePath: [] },
      { severity: 'low', upgradePath: [false, 'lib@2.0.0'] },
    ];
    for (const body of [
      { ok: false, vulnerabilities: list },
      { ok: false, issues: { vulnerabilities: list, licenses: [] } },
    ]) {
      const { at, ask } = await source(json(body), '/api/v1');
      expect(await ask(manifest)).toEqual({
        vulnerabilities: { low: 1, medium: 0, high: 2, critical: 0 },
        upgradable: { low: 1, medium: 0, high: 1, critical: 0 },
      });
      expect(at.asked[0]).toMatchObject({ method: 'POST', url: '/api/v1/test' });
      expect(at.asked[0]?.headers.authorization).toBe(`token ${KEY}`);
      expect(JSON.parse(at.asked[0]?.body ?? '')).toEqual({ orgId: 'org-1', targetFile: 'package.json', manifest: '{"name":"demo"}' });
    }
  });
});

describe('POL-186 only the documented answer is one', () => {
  test('nothing known is said as such, and an empty object is no match', async () => {
    const unknown = await source(json({ error: { code: 'NotFoundError', message: 'not found' } }, 404));
    expect(await unknown.ask(file)).toMatchObject({ known: false });
    const none = await source(json({}));
    expect(await none.ask(safe)).toMatchObject({ threats: [] });
    const clean = await source(json({ ok: true, issues: { vulnerabilities: [], licenses: [] } }));
    expect(await clean.ask(manifest)).toMatchObject({ vulnerabilities: { high: 0 } });
  });

  const cases: readonly (readonly [string, Asking, unknown, number, string])[] = [
    ['401 with a body that looks fine', file, report('file', SHA, stats(0)), 401, 'unauthorized'],
    ['403', safe, {}, 403, 'unauthorized'],
    ['429', safe, {}, 429, 'too_many_requests'],
    ['500', manifest, { vulnerabilities: [] }, 500, 'server_error'],
    ['204', safe, '', 204, 'answer_malformed'],
    ['201 with a body that looks fine', safe, {}, 201, 'answer_unknown_form'],
    ['400', safe, {}, 400, 'http_status'],
    ['404 where it is not documented', safe, {}, 404, 'not_found'],
    ['a 404 of somebody else', file, { message: 'no route' }, 404, 'answer_unknown_form'],
    ['a report of another file', file, report('file', 'cd'.repeat(32), stats(0)), 200, 'answer_unknown_form'],
    ['a report of another type', file, report('url', SHA, stats(0)), 200, 'answer_unknown_form'],
    ['counts that are missing', file, report('file', SHA, { malicious: 0 }), 200, 'answer_unknown_form'],
    ['counts that are no numbers', file, report('file', SHA, { ...stats(0), malicious: '0' }), 200, 'answer_unknown_form'],
    ['counts below zero', file, report('file', SHA, { ...stats(0), suspicious: -1 }), 200, 'answer_unknown_form'],
    [
      'a report in which nobody looked',
      file,
      report('file', SHA, { malicious: 0, suspicious: 0, harmless: 0, undetected: 0 }),
      200,
      'answer_unknown_form',
    ],
    ['an empty object of who never says that', file, {}, 200, 'answer_unknown_form'],
    ['an error in place of matches', safe, { error: { code: 403 } }, 200, 'answer_unknown_form'],
    ['matches that hold none', safe, { matches: [] }, 200, 'answer_unknown_form'],
    ['a match of another URL', safe, { matches: [match('MALWARE', 'http://other.example/')] }, 200, 'answer_unknown_form'],
    ['a match without its kind', safe, { matches: [{ threat: { url: URL_ASKED } }] }, 200, 'answer_unknown_form'],
    ['no list', manifest, { ok: true }, 200, 'answer_unknown_form'],
    ['two lists', manifest, { vulnerabilities: [], issues: { vulnerabilities: [] } }, 200, 'answer_unknown_form'],
    [
      'a severity that nobody knows',
      manifest,
      { vulnerabilities: [{ severity: 'awful', isUpgradable: true }] },
      200,
      'answer_unknown_form',
    ],
    ['a vulnerability without what can be done', manifest, { vulnerabilities: [{ severity: 'high' }] }, 200, 'answer_unknown_form'],
    [
      'fine, and a finding beside it',
      manifest,
      { ok: true, vulnerabilities: [{ severity: 'low', isUpgradable: true }] },
      200,
      'answer_unknown_form',
    ],
    ['a list', safe, [], 200, 'answer_unknown_form'],
    ['broken JSON', safe, '{"matches":', 200, 'answer_malformed'],
    ['a member twice', safe, '{"matches":[],"matches":[]}', 200, 'answer_malformed'],
    ['nothing', safe, '', 200, 'answer_malformed'],
  ];

  test.each(cases)('%s is unavailable', async (_name, asking, ...answered) => {
    const [body, status, why] = answered;
    const { ask } = await source(json(body, status));
    expect(await ask(asking)).toBe(why);
  });

  test('redirects, encodings and pages are no answers, and no other host is asked', async () => {
    const other = await source(json({}));
    for (const status of [301, 302, 307, 308]) {
      const { ask } = await source(json({}, status, { location: other.at.url }));
      expect(await ask(safe)).toBe('redirected');
    }
    expect(other.at.asked).toEqual([]);
    expect(await (await source(json({}, 200, { 'content-encoding': 'gzip' }))).ask(safe)).toBe('unreachable');
    expect(await (await source(json('{}', 200, { 'content-type': 'text/html' }))).ask(safe)).toBe('answer_malformed');
  });

  test('a connection that breaks is none', async () => {
    const cut = await source((_asked, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{}');
      response.destroy();
    });
    expect(await cut.ask(safe)).toBe('unreachable');
    const gone = await source(json({}));
    await gone.at.close();
    expect(await gone.ask(safe)).toBe('unreachable');
  });
});

describe('POL-187 sizes and places', () => {
  test('an answer of so many bytes, and one more', async () => {
    const padded = (bytes: number): string => `{}${' '.repeat(bytes - 2)}`;
    expect(await (await source(json(padded(INTEL_LIMITS.answerBytesMax)))).ask(safe)).toEqual({ threats: [] });
    expect(await (await source(json(padded(INTEL_LIMITS.answerBytesMax + 1)))).ask(safe)).toBe('answer_too_large');
  });

  test('a question of so many bytes, and one more', async () => {
    const around = JSON.stringify({ orgId: 'org-1', targetFile: 'package.json', manifest: '' }).length;
    const { at, ask } = await source(json({ vulnerabilities: [] }));
    const text = 'm'.repeat(INTEL_LIMITS.requestBytesMax - around);
    expect(await ask(asksSnyk(text))).toHaveProperty('vulnerabilities');
    expect(await ask(asksSnyk(`${text}m`))).toBe('request_too_large');
    expect(at.asked.length).toBe(1);
  });

  test.each(['vulnerabilitiesMax', 'threatTypesMax'] as const)('%s findings, and one more', async (limit) => {
    const max = INTEL_LIMITS[limit];
    const many = (count: number): object =>
      limit === 'vulnerabilitiesMax'
        ? { vulnerabilities: Array.from({ length: count }, () => ({ severity: 'low', isUpgradable: false })) }
        : { matches: Array.from({ length: count }, (_, i) => match(`KIND_${String.fromCodePoint(65 + i)}`)) };
    const asking = limit === 'vulnerabilitiesMax' ? manifest : safe;
    expect(await (await source(json(many(max)))).ask(asking)).not.toBe('answer_unknown_form');
    expect(await (await source(json(many(max + 1)))).ask(asking)).toBe('answer_unknown_form');
  });

  test('base URLs', () => {
    expect(readEndpoint('https://intel.example/api/v3/', 'p')).toEqual({
      ok: true,
      value: { origin: 'https://intel.example', basePath: '/api/v3' },
    });
    expect(readEndpoint('http://[::1]:8080', 'p')).toMatchObject({ ok: true });
    const bad = [
      'http://intel.example',
      'http://127.0.0.1.example',
      'ftp://intel.example',
      'intel.example',
      'https://u:p@intel.example',
      'https://intel.example?x=1',
    ];
    for (const text of bad)
      expect(readEndpoint(text, 'p'), text).toMatchObject({ ok: false, error: { code: 'policy_endpoint', path: 'p' } });
  });
});
