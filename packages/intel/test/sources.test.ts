import { afterEach, describe, expect, test } from 'vitest';
import { openJsonSource } from '../src/ask-json.ts';
import { readBaseUrl } from '../src/base-url.ts';
import { INTEL_LIMITS } from '../src/limits.ts';
import { askSafeBrowsing } from '../src/safe-browsing.ts';
import { askSnyk } from '../src/snyk.ts';
import { type Inquiry, SourceDesk } from '../src/source-desk.ts';
import { askOfFile, askOfUrl } from '../src/virustotal.ts';
import { json, type LocalSource, openLocalSource, StillWorld } from './local-source.ts';

const KEY = ['k', 'e', 'y'].join('') + '-0123456789';
const SHA = 'ab'.repeat(32);
const URL_ASKED = 'http://one.example/path?q=1';
const open: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function source(answer: Parameters<typeof openLocalSource>[0], path = ''): Promise<{ at: LocalSource; desk: SourceDesk }> {
  const at = await openLocalSource(answer);
  const base = readBaseUrl(`${at.url}${path}`);
  if (!base.ok) throw new Error(base.error.message);
  const from = openJsonSource(base.value);
  open.push(() => from.close(), () => at.close());
  return { at, desk: new SourceDesk(from.ask, { timeoutMs: 5000 }, new StillWorld()) };
}

const stats = (malicious: number, suspicious = 0): object => ({ malicious, suspicious, harmless: 60, undetected: 4, timeout: 1 });
const report = (type: string, id: string, counts: object): object => ({ data: { type, id, attributes: { last_analysis_stats: counts } } });
const client = { apiKey: KEY, clientId: 'acme', clientVersion: '0.1.0' };
const safe = askSafeBrowsing(URL_ASKED, client);
const snyk = askSnyk('{"name":"demo"}', { apiToken: KEY, orgId: 'org-1' });
const match = (threatType: string, url = URL_ASKED): object => ({ threatType, platformType: 'ANY_PLATFORM', threatEntryType: 'URL', threat: { url } });

describe('POL-185 what is asked of whom', () => {
  test('a file by its hash, with the key in a header', async () => {
    const { at, desk } = await source(json(report('file', SHA, stats(7, 1))), '/api/v3');
    expect(await desk.ask(askOfFile(SHA, KEY))).toEqual({
      ok: true,
      cached: false,
      value: { known: true, malicious: 7, suspicious: 1, harmless: 60, undetected: 4 },
    });
    expect(at.asked[0]).toMatchObject({ method: 'GET', url: `/api/v3/files/${SHA}`, body: '' });
    expect(at.asked[0]?.headers['x-apikey']).toBe(KEY);
  });

  test('a URL by its unpadded base64', async () => {
    const { at, desk } = await source(json(report('url', 'cd'.repeat(32), stats(0))));
    expect(await desk.ask(askOfUrl(URL_ASKED, KEY))).toMatchObject({ ok: true, value: { known: true, malicious: 0 } });
    expect(at.asked[0]?.url).toBe(`/urls/${Buffer.from(URL_ASKED).toString('base64').replaceAll('=', '').replaceAll('/', '_')}`);
  });

  test('a URL against the four lists', async () => {
    const { at, desk } = await source(json({ matches: [match('SOCIAL_ENGINEERING'), match('MALWARE'), match('MALWARE')] }), '/v4');
    expect(await desk.ask(safe)).toMatchObject({ ok: true, value: { threats: ['MALWARE', 'SOCIAL_ENGINEERING'] } });
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
    for (const body of [{ ok: false, vulnerabilities: list }, { ok: false, issues: { vulnerabilities: list, licenses: [] } }]) {
      const { at, desk } = await source(json(body), '/api/v1');
      expect(await desk.ask(snyk)).toMatchObject({
        ok: true,
        value: { vulnerabilities: { low: 1, medium: 0, high: 2, critical: 0 }, upgradable: { low: 1, medium: 0, high: 1, critical: 0 } },
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
    expect(await unknown.desk.ask(askOfFile(SHA, KEY))).toMatchObject({ ok: true, value: { known: false } });
    const none = await source(json({}));
    expect(await none.desk.ask(safe)).toMatchObject({ ok: true, value: { threats: [] } });
    const clean = await source(json({ ok: true, issues: { vulnerabilities: [], licenses: [] } }));
    expect(await clean.desk.ask(snyk)).toMatchObject({ ok: true, value: { vulnerabilities: { high: 0 } } });
  });

  const file = askOfFile(SHA, KEY);
  const cases: readonly (readonly [string, Inquiry, unknown, number, string])[] = [
    ['401 with a body that looks fine', file, report('file', SHA, stats(0)), 401, 'not_authorized'],
    ['403', safe, {}, 403, 'not_authorized'],
    ['429', safe, {}, 429, 'quota_exceeded'],
    ['500', snyk, { vulnerabilities: [] }, 500, 'source_failed'],
    ['204', safe, '', 204, 'unexpected_status'],
    ['400', safe, {}, 400, 'unexpected_status'],
    ['404 where it is not documented', safe, {}, 404, 'unexpected_status'],
    ['a 404 of somebody else', file, { message: 'no route' }, 404, 'answer_unknown_form'],
    ['a report of another file', file, report('file', 'cd'.repeat(32), stats(0)), 200, 'answer_unknown_form'],
    ['a report of another type', file, report('url', SHA, stats(0)), 200, 'answer_unknown_form'],
    ['counts that are missing', file, report('file', SHA, { malicious: 0 }), 200, 'answer_unknown_form'],
    ['counts that are no numbers', file, report('file', SHA, { ...stats(0), malicious: '0' }), 200, 'answer_unknown_form'],
    ['counts below zero', file, report('file', SHA, { ...stats(0), suspicious: -1 }), 200, 'answer_unknown_form'],
    ['a report in which nobody looked', file, report('file', SHA, { malicious: 0, suspicious: 0, harmless: 0, undetected: 0 }), 200, 'answer_unknown_form'],
    ['an empty object of who never says that', file, {}, 200, 'answer_unknown_form'],
    ['an error in place of matches', safe, { error: { code: 403 } }, 200, 'answer_unknown_form'],
    ['matches that hold none', safe, { matches: [] }, 200, 'answer_unknown_form'],
    ['a match of another URL', safe, { matches: [match('MALWARE', 'http://other.example/')] }, 200, 'answer_unknown_form'],
    ['a match without its kind', safe, { matches: [{ threat: { url: URL_ASKED } }] }, 200, 'answer_unknown_form'],
    ['no list', snyk, { ok: true }, 200, 'answer_unknown_form'],
    ['two lists', snyk, { vulnerabilities: [], issues: { vulnerabilities: [] } }, 200, 'answer_unknown_form'],
    ['a severity that nobody knows', snyk, { vulnerabilities: [{ severity: 'awful', isUpgradable: true }] }, 200, 'answer_unknown_form'],
    ['a vulnerability without what can be done', snyk, { vulnerabilities: [{ severity: 'high' }] }, 200, 'answer_unknown_form'],
    ['fine, and a finding beside it', snyk, { ok: true, vulnerabilities: [{ severity: 'low', isUpgradable: true }] }, 200, 'answer_unknown_form'],
    ['a list', safe, [], 200, 'answer_unknown_form'],
    ['broken JSON', safe, '{"matches":', 200, 'answer_not_json'],
    ['a member twice', safe, '{"matches":[],"matches":[]}', 200, 'answer_not_json'],
    ['nothing', safe, '', 200, 'answer_not_json'],
  ];

  test.each(cases)('%s is unavailable', async (_name, inquiry, body, status, why) => {
    const { desk } = await source(json(body, status));
    expect(await desk.ask(inquiry)).toEqual({ ok: false, why });
  });

  test('redirects, encodings and pages are no answers, and no other host is asked', async () => {
    const other = await source(json({}));
    for (const status of [301, 302, 307, 308]) {
      const { desk } = await source(json({}, status, { location: other.at.url }));
      expect(await desk.ask(safe)).toEqual({ ok: false, why: 'unexpected_status' });
    }
    expect(other.at.asked).toEqual([]);
    expect(await (await source(json({}, 200, { 'content-encoding': 'gzip' }))).desk.ask(safe)).toEqual({ ok: false, why: 'answer_not_json' });
    expect(await (await source(json('{}', 200, { 'content-type': 'text/html' }))).desk.ask(safe)).toEqual({ ok: false, why: 'answer_not_json' });
  });

  test('a connection that breaks is none', async () => {
    const cut = await source((_asked, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{}');
      response.destroy();
    });
    expect(await cut.desk.ask(safe)).toEqual({ ok: false, why: 'unreachable' });
    const gone = await source(json({}));
    await gone.at.close();
    expect(await gone.desk.ask(safe)).toEqual({ ok: false, why: 'unreachable' });
  });
});

describe('POL-187 sizes and places', () => {
  test('an answer of so many bytes, and one more', async () => {
    const padded = (bytes: number): string => `{}${' '.repeat(bytes - 2)}`;
    expect(await (await source(json(padded(INTEL_LIMITS.answerBytesMax)))).desk.ask(safe)).toMatchObject({ ok: true });
    expect(await (await source(json(padded(INTEL_LIMITS.answerBytesMax + 1)))).desk.ask(safe)).toEqual({ ok: false, why: 'answer_too_large' });
  });

  test('a question of so many bytes, and one more', async () => {
    const around = JSON.stringify({ orgId: 'org-1', targetFile: 'package.json', manifest: '' }).length;
    const { at, desk } = await source(json({ vulnerabilities: [] }));
    const manifest = 'm'.repeat(INTEL_LIMITS.requestBytesMax - around);
    expect(await desk.ask(askSnyk(manifest, { apiToken: KEY, orgId: 'org-1' }))).toMatchObject({ ok: true });
    expect(await desk.ask(askSnyk(`${manifest}m`, { apiToken: KEY, orgId: 'org-1' }))).toEqual({ ok: false, why: 'question_too_large' });
    expect(at.asked.length).toBe(1);
  });

  test.each(['vulnerabilitiesMax', 'threatTypesMax'] as const)('%s findings, and one more', async (limit) => {
    const max = INTEL_LIMITS[limit];
    const many = (count: number): object =>
      limit === 'vulnerabilitiesMax'
        ? { vulnerabilities: Array.from({ length: count }, () => ({ severity: 'low', isUpgradable: false })) }
        : { matches: Array.from({ length: count }, (_, i) => match(`KIND_${String.fromCodePoint(65 + i)}`)) };
    const asking = limit === 'vulnerabilitiesMax' ? snyk : safe;
    expect(await (await source(json(many(max)))).desk.ask(asking)).toMatchObject({ ok: true });
    expect(await (await source(json(many(max + 1)))).desk.ask(asking)).toEqual({ ok: false, why: 'answer_unknown_form' });
  });

  test('base URLs', () => {
    expect(readBaseUrl('https://intel.example/api/v3/')).toEqual({
      ok: true,
      value: { secure: true, host: 'intel.example', port: 443, path: '/api/v3' },
    });
    expect(readBaseUrl('http://[::1]:8080')).toMatchObject({ ok: true, value: { secure: false, host: '::1', port: 8080, path: '' } });
    const bad = ['http://intel.example', 'http://127.0.0.1.example', 'ftp://intel.example', 'intel.example', 'https://u:p@intel.example', 'https://intel.example?x=1', 'https://intel.example/#'];
    for (const text of bad) expect(readBaseUrl(text), text).toMatchObject({ ok: false, error: { code: 'intel_base_url' } });
  });
});
