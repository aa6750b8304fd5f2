import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { sha256Hex } from '@countersign/crypto';
import { loadAncestors, parsePolicy, POLICY_LIMITS, type PolicyFault, resolvePolicy } from '@countersign/policy';
import { loadRuleset, openPinnedCache, openPolicySources, type PolicyHosts, type ResolveHost } from '@countersign/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const place = mkdtempSync(join(tmpdir(), 'countersign-sources-'));
const HOST = 'policies.internal.example';
const inside: PolicyHosts = { outside: [], inside: [HOST] };
const home: ResolveHost = async () => Promise.resolve([{ address: '127.0.0.1', family: 4 }]);

/** Node makes no certificates; git is what is tested. */
const missing = ['openssl', 'git'].filter((program) => spawnSync(program, ['version']).status !== 0);
const why = missing.length === 0 ? '' : ` (skipped: there is no ${missing.join(', no ')} here)`;

/** Answers by path; paths that were asked for. */
const pages = new Map<string, { readonly status: number; readonly body: string | Uint8Array; readonly location?: string }>();
const asked: string[] = [];
let server: Server;
let port = 0;

function openssl(args: readonly string[]): void {
  execFileSync('openssl', [...args], { cwd: place, stdio: 'ignore' });
}

/** What a host of repositories answers, by git's own program for it (CGI, RFC 3875). */
function serveGit(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'https://x');
  const env = {
    PATH: process.env['PATH'] ?? '',
    GIT_PROJECT_ROOT: place,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    PATH_INFO: url.pathname.slice('/git'.length),
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: request.method ?? 'GET',
    CONTENT_TYPE: request.headers['content-type'] ?? '',
    GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
    HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
    REMOTE_ADDR: '127.0.0.1',
  };
  const child = spawn('git', ['http-backend'], { env });
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  child.on('close', () => {
    const all = Buffer.concat(parts);
    const end = all.indexOf('\r\n\r\n');
    const lines = all.subarray(0, end).toString('latin1').split('\r\n');
    const headers = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    );
    const status = Number(/^\d+/.exec(headers.get('status') ?? '200')?.[0]);
    headers.delete('status');
    response.writeHead(status, Object.fromEntries(headers));
    response.end(all.subarray(end + 4));
  });
  request.pipe(child.stdin);
}

beforeAll(async () => {
  if (missing.length > 0) return;
  const subject = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`];
  openssl([
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'key.pem',
    '-out',
    'cert.pem',
    '-days',
    '30',
    ...subject,
  ]);
  server = createServer({ key: readFileSync(join(place, 'key.pem')), cert: readFileSync(join(place, 'cert.pem')) }, (request, response) => {
    asked.push(request.url ?? '');
    if (request.url?.startsWith('/git/') === true) {
      serveGit(request, response);
      return;
    }
    const page = pages.get(request.url ?? '');
    response.writeHead(page?.status ?? 404, page?.location === undefined ? {} : { location: page.location });
    response.end(page?.body ?? '');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port;
});

afterAll(async () => {
  if (missing.length === 0) await new Promise((done) => server.close(done));
  rmSync(place, { recursive: true });
});

let caches = 0;
function sourcesOf(
  more: { readonly hosts?: PolicyHosts; readonly resolveHost?: ResolveHost; readonly cacheDir?: string; readonly ca?: boolean } = {},
): ReturnType<typeof openPolicySources> {
  caches += 1;
  return openPolicySources({
    cwd: place,
    hosts: more.hosts ?? inside,
    cacheDir: more.cacheDir ?? join(place, `cache-${String(caches)}`),
    resolveHost: more.resolveHost ?? home,
    ...(more.ca !== false && { caFile: join(place, 'cert.pem') }),
  });
}

interface Loaded {
  readonly faults: readonly PolicyFault[];
  readonly names: readonly string[];
  readonly blocked: readonly string[];
}

async function load(text: string, more: Parameters<typeof sourcesOf>[0] & { readonly file?: string } = {}): Promise<Loaded> {
  const document = parsePolicy(text, 'child.yaml');
  if (!document.ok) return { faults: document.error, names: [], blocked: [] };
  const ancestors = await loadAncestors(document.value, { ruleset: loadRuleset, sources: sourcesOf(more), file: more.file });
  if (!ancestors.ok) return { faults: ancestors.error, names: [], blocked: [] };
  const policy = resolvePolicy(document.value, { rulesets: new Map(), hostSets: new Map(), ancestors: ancestors.value });
  const blocked = policy.ok ? policy.value.guards.egress_allowlist.block : [];
  return { faults: policy.ok ? [] : policy.error, names: ancestors.value.map((one) => one.content.name ?? ''), blocked };
}

function codesOf(loaded: Loaded): readonly string[] {
  return loaded.faults.map((fault) => fault.code);
}

function put(path: string, body: string | Uint8Array): string {
  pages.set(path, { status: 200, body });
  return `https://${HOST}:${String(port)}${path}#sha256=${sha256Hex(body)}`;
}

const BASE = 'name: far\nextends: strict\nguards: {egress_allowlist: {block: [bad.example]}}\n';

describe('POL-101 extends of files', () => {
  it('reads relative to the file that holds it, and through links', async () => {
    mkdirSync(join(place, 'a/b'), { recursive: true });
    writeFileSync(
      join(place, 'a/base.yaml'),
      `name: base\nextends: b/deep.yaml\nguards: {egress_allowlist: {additional_block: [a.example]}}\n`,
    );
    writeFileSync(
      join(place, 'a/b/deep.yaml'),
      'name: deep\nextends: clawdstrike:strict\nguards: {egress_allowlist: {block: [d.example]}}\n',
    );
    symlinkSync(join(place, 'a/base.yaml'), join(place, 'link.yaml'));
    const loaded = await load('extends: ./link.yaml\n');
    expect(loaded).toMatchObject({ faults: [], names: ['base', 'deep', 'Strict'], blocked: ['d.example', 'a.example'] });
  });
  it('sees a cycle in any spelling', async () => {
    writeFileSync(join(place, 'one.yaml'), 'extends: ./two.yaml\n');
    writeFileSync(join(place, 'two.yaml'), 'extends: ./a/../one.yaml\n');
    expect(codesOf(await load('extends: one.yaml\n'))).toEqual(['policy_extends_cycle']);
    expect(codesOf(await load('extends: ./two.yaml\n', { file: join(place, 'one.yaml') }))).toEqual(['policy_extends_cycle']);
  });
  it('stops at 32 documents', async () => {
    const depth = POLICY_LIMITS.extendsDepthMax;
    for (let i = 2; i <= depth + 1; i += 1)
      writeFileSync(join(place, `deep${String(i)}.yaml`), i === depth + 1 ? 'name: last\n' : `extends: ./deep${String(i + 1)}.yaml\n`);
    expect(codesOf(await load('extends: ./deep2.yaml\n'))).toEqual(['policy_extends_depth']);
    expect(codesOf(await load('extends: ./deep3.yaml\n'))).toEqual([]);
  });
  it('holds a pin against the bytes', async () => {
    writeFileSync(join(place, 'pinned.yaml'), BASE);
    expect(codesOf(await load(`extends: ./pinned.yaml#sha256=${sha256Hex(BASE)}\n`))).toEqual([]);
    expect(codesOf(await load(`extends: ./pinned.yaml#sha256=${sha256Hex('x')}\n`))).toEqual(['policy_extends_pin']);
  });
  it('POL-116 a missing file, a directory, a large file, no UTF-8 and a bad base are faults where they are named', async () => {
    expect((await load('\nextends: ./none.yaml\n')).faults).toMatchObject([
      { code: 'policy_extends', message: 'there is no such file', path: 'extends', source: 'child.yaml', line: 2 },
    ]);
    expect(codesOf(await load('extends: ./a/\n'))).toEqual(['policy_extends']);
    writeFileSync(join(place, 'large.yaml'), `#${'x'.repeat(POLICY_LIMITS.documentBytesMax)}`);
    expect(codesOf(await load('extends: ./large.yaml\n'))).toEqual(['policy_too_large']);
    writeFileSync(join(place, 'latin.yaml'), new Uint8Array([0x23, 0xff]));
    expect(codesOf(await load('extends: ./latin.yaml\n'))).toEqual(['policy_yaml']);
    writeFileSync(join(place, 'bad.yaml'), 'guards:\n  forbiden_path: {}\n');
    expect((await load('extends: ./bad.yaml\n')).faults).toMatchObject([{ code: 'policy_unknown_field', source: './bad.yaml', line: 2 }]);
  });
});

describe.skipIf(missing.length > 0)(`POL-102 extends of addresses, over a real https server${why}`, () => {
  it('fetches once, and keeps by hash', async () => {
    const reference = put('/far.yaml', BASE);
    const cacheDir = join(place, 'shared-cache');
    const before = asked.length;
    expect(await load(`extends: "${reference}"\n`, { cacheDir })).toMatchObject({
      faults: [],
      names: ['far', 'Strict'],
      blocked: ['bad.example'],
    });
    expect(await load(`extends: "${reference}"\n`, { cacheDir })).toMatchObject({ faults: [], names: ['far', 'Strict'] });
    expect(asked.length - before).toBe(1);
    // A damaged copy is not used.
    writeFileSync(join(cacheDir, sha256Hex(BASE)), 'name: other\n');
    expect((await load(`extends: "${reference}"\n`, { cacheDir })).names).toEqual(['far', 'Strict']);
    expect(asked.length - before).toBe(2);
    // What may no longer be asked for is not taken from the cache.
    expect(codesOf(await load(`extends: "${reference}"\n`, { cacheDir, hosts: { outside: [], inside: [] } }))).toEqual([
      'policy_source_host',
    ]);
  });
  it('other bytes than those that were pinned are refused, and not kept', async () => {
    const reference = put('/moved.yaml', BASE);
    put('/moved.yaml', 'name: changed\n');
    const cacheDir = join(place, 'pin-cache');
    expect(codesOf(await load(`extends: "${reference}"\n`, { cacheDir }))).toEqual(['policy_extends_pin']);
    expect((): string[] => readdirSync(cacheDir)).toThrow(/ENOENT/);
  });
  it('a host that nobody named is not asked', async () => {
    const reference = put('/far.yaml', BASE);
    const before = asked.length;
    expect(codesOf(await load(`extends: "${reference}"\n`, { hosts: { outside: ['other.example', `*.${HOST}`], inside: [] } }))).toEqual([
      'policy_source_host',
    ]);
    expect(asked.length).toBe(before);
  });
  it('a public name that leads inside is refused, one bad address among many too', async () => {
    const reference = put('/far.yaml', BASE);
    const outside: PolicyHosts = { outside: [HOST], inside: [] };
    const before = asked.length;
    for (const address of ['127.0.0.1', '10.0.0.1', '169.254.1.1', '169.254.169.254', '0.0.0.0', '::1', 'fd00::1', '::ffff:127.0.0.1']) {
      const resolveHost: ResolveHost = async () =>
        Promise.resolve([
          { address: '93.184.216.34', family: 4 },
          { address, family: address.includes(':') ? 6 : 4 },
        ]);
      expect(codesOf(await load(`extends: "${reference}"\n`, { hosts: outside, resolveHost }))).toEqual(['policy_source_address']);
    }
    const metadata: ResolveHost = async () => Promise.resolve([{ address: '169.254.169.254', family: 4 }]);
    expect(codesOf(await load(`extends: "${reference}"\n`, { resolveHost: metadata }))).toEqual(['policy_source_address']);
    const none: ResolveHost = async () => Promise.resolve([]);
    expect(codesOf(await load(`extends: "${reference}"\n`, { resolveHost: none }))).toEqual(['policy_source_address']);
    const broken: ResolveHost = async () => Promise.reject(new Error('no resolver'));
    expect(codesOf(await load(`extends: "${reference}"\n`, { resolveHost: broken }))).toEqual(['policy_source_unreachable']);
    expect(asked.length).toBe(before);
  });
  it('resolves a name once for a fetch with its redirects', async () => {
    let times = 0;
    const once: ResolveHost = async (host) => {
      times += 1;
      return times === 1 ? home(host) : Promise.resolve([{ address: '127.0.0.2', family: 4 }]);
    };
    pages.set('/hop', { status: 302, body: '', location: '/landed.yaml' });
    put('/landed.yaml', BASE);
    const reference = `https://${HOST}:${String(port)}/hop#sha256=${sha256Hex(BASE)}`;
    expect((await load(`extends: "${reference}"\n`, { resolveHost: once })).names).toEqual(['far', 'Strict']);
    expect(times).toBe(1);
  });
  it.each([
    'https://other.example/x',
    'http://policies.internal.example/x',
    '//other.example/x',
    `https://u:p@${HOST}/x`,
    'file:///etc/passwd',
    `https://${HOST}:1/x`,
  ])('does not follow a redirect to %s', async (location) => {
    pages.set('/away', { status: 301, body: '', location });
    const reference = `https://${HOST}:${String(port)}/away#sha256=${sha256Hex(BASE)}`;
    expect(codesOf(await load(`extends: "${reference}"\n`))).toEqual(['policy_source_unreachable']);
  });
  it('follows three redirects and no fourth', async () => {
    put('/r0', BASE);
    for (let i = 1; i <= 4; i += 1) pages.set(`/r${String(i)}`, { status: 307, body: '', location: `/r${String(i - 1)}` });
    const at = (i: number): string => `extends: "https://${HOST}:${String(port)}/r${String(i)}#sha256=${sha256Hex(BASE)}"\n`;
    expect(codesOf(await load(at(3)))).toEqual([]);
    expect(codesOf(await load(at(4)))).toEqual(['policy_source_unreachable']);
  });
  it('reads no more than a megabyte', async () => {
    const exact = put('/exact', new Uint8Array(POLICY_LIMITS.fetchBytesMax));
    const over = put('/over', new Uint8Array(POLICY_LIMITS.fetchBytesMax + 1));
    // As many bytes as may be fetched are still more than a document may have.
    expect((await load(`extends: "${exact}"\n`)).faults).toMatchObject([{ code: 'policy_too_large', message: 'larger than 262144 bytes' }]);
    expect((await load(`extends: "${over}"\n`)).faults).toMatchObject([{ code: 'policy_too_large', message: 'larger than 1048576 bytes' }]);
  });
  it('a status, a dead port and an unknown authority are faults', async () => {
    const pin = `#sha256=${sha256Hex(BASE)}`;
    expect(codesOf(await load(`extends: "https://${HOST}:${String(port)}/none${pin}"\n`))).toEqual(['policy_source_unreachable']);
    expect(codesOf(await load(`extends: "https://${HOST}:1/far.yaml${pin}"\n`))).toEqual(['policy_source_unreachable']);
    expect(codesOf(await load(`extends: "${put('/far.yaml', BASE)}"\n`, { ca: false }))).toEqual(['policy_source_unreachable']);
  });
  it('POL-115 what a remote document extends is as remote and as pinned', async () => {
    put('/team/deep.yaml', BASE);
    const pinned = put('/team/near.yaml', `name: near\nextends: ./deep.yaml#sha256=${sha256Hex(BASE)}\n`);
    expect((await load(`extends: "${pinned}"\n`)).names).toEqual(['near', 'far', 'Strict']);
    const loose = put('/team/loose.yaml', 'extends: ./deep.yaml\n');
    expect(codesOf(await load(`extends: "${loose}"\n`))).toEqual(['policy_extends_pin']);
    for (const path of ['/etc/policy.yaml', '../deep.yaml', 'x/../../deep.yaml']) {
      const reference = put('/team/out.yaml', `extends: "${path}#sha256=${sha256Hex(BASE)}"\n`);
      expect(codesOf(await load(`extends: "${reference}"\n`))).toEqual(['policy_extends']);
    }
    const local = put('/team/local.yaml', `extends: "git+file://${place}/repo@${'a'.repeat(40)}:p.yaml#sha256=${sha256Hex(BASE)}"\n`);
    expect(codesOf(await load(`extends: "${local}"\n`))).toEqual(['policy_extends']);
  });
});

describe.skipIf(missing.length > 0)(`POL-103 extends of commits, over a real repository${why}`, () => {
  const repository = join(place, 'repo');
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { encoding: 'utf8' }).trim();
  const commits: string[] = [];

  beforeAll(() => {
    mkdirSync(join(repository, 'team'), { recursive: true });
    git('init', '--quiet');
    writeFileSync(join(repository, 'team/p.yaml'), `name: near\nextends: ./far.yaml#sha256=${sha256Hex(BASE)}\n`);
    writeFileSync(join(repository, 'team/far.yaml'), BASE);
    git('add', '.');
    git('commit', '--quiet', '-m', 'one');
    commits.push(git('rev-parse', 'HEAD'));
    writeFileSync(join(repository, 'team/p.yaml'), 'name: later\n');
    git('commit', '--quiet', '-am', 'two');
    commits.push(git('rev-parse', 'HEAD'));
  });

  function reference(commit: string, path: string, body: string): string {
    return `extends: "git+file://${repository}@${commit}:${path}#sha256=${sha256Hex(body)}"\n`;
  }
  const near = `name: near\nextends: ./far.yaml#sha256=${sha256Hex(BASE)}\n`;

  it('reads the file as it was in that commit, and what it extends from the same one', async () => {
    expect(await load(reference(commits[0] ?? '', 'team/p.yaml', near))).toMatchObject({ faults: [], names: ['near', 'far', 'Strict'] });
    expect((await load(reference(commits[1] ?? '', 'team/p.yaml', 'name: later\n'))).names).toEqual(['later']);
  });
  it('other bytes, another path, another commit are faults', async () => {
    expect(codesOf(await load(reference(commits[1] ?? '', 'team/p.yaml', near)))).toEqual(['policy_extends_pin']);
    expect(codesOf(await load(reference(commits[0] ?? '', 'team', near)))).toEqual(['policy_source_unreachable']);
    expect(codesOf(await load(reference('0'.repeat(40), 'team/p.yaml', near)))).toEqual(['policy_source_unreachable']);
  });
  it('over https too, from the address that was checked', async () => {
    const before = asked.length;
    const body = 'name: later\n';
    const at = `extends: "git+https://${HOST}:${String(port)}/git/repo/.git@${commits[1] ?? ''}:team/p.yaml#sha256=${sha256Hex(body)}"\n`;
    expect(await load(at)).toMatchObject({ faults: [], names: ['later'] });
    expect(asked.slice(before).every((path) => path.startsWith('/git/repo/.git/'))).toBe(true);
    expect(asked.length).toBeGreaterThan(before);
    // An authority that nobody knows.
    expect(codesOf(await load(at, { ca: false }))).toEqual(['policy_source_unreachable']);
  });
  it('a host that redirects git is not followed', async () => {
    pages.set('/moved/.git/info/refs?service=git-upload-pack', {
      status: 302,
      body: '',
      location: '/git/repo/.git/info/refs?service=git-upload-pack',
    });
    const before = asked.length;
    const at = `extends: "git+https://${HOST}:${String(port)}/moved/.git@${commits[1] ?? ''}:team/p.yaml#sha256=${sha256Hex('name: later\n')}"\n`;
    expect(codesOf(await load(at))).toEqual(['policy_source_unreachable']);
    expect(asked.slice(before)).toEqual(['/moved/.git/info/refs?service=git-upload-pack']);
  });
  it('a repository of a host that nobody named is not asked', async () => {
    const pin = `#sha256=${sha256Hex(BASE)}`;
    const away = `extends: "git+https://code.example/r.git@${'a'.repeat(40)}:p.yaml${pin}"\n`;
    expect(codesOf(await load(away))).toEqual(['policy_source_host']);
    const outside: PolicyHosts = { outside: ['code.example'], inside: [] };
    expect(codesOf(await load(away, { hosts: outside }))).toEqual(['policy_source_address']);
  });
});

describe('POL-104 the cache of pinned documents', () => {
  it('drops the oldest to stay within its bytes, at n and n + 1', async () => {
    const directory = join(place, 'small-cache');
    const cache = openPinnedCache(directory, 20);
    const texts = ['aaaaaaaaaa', 'bbbbbbbbbb'].map((text) => new TextEncoder().encode(text));
    for (const bytes of texts) await cache.keep(sha256Hex(bytes), bytes);
    expect(readdirSync(directory)).toHaveLength(2);
    const third = new TextEncoder().encode('c');
    await cache.keep(sha256Hex(third), third);
    expect(readdirSync(directory)).toHaveLength(2);
    expect(await cache.read(sha256Hex(third))).toEqual(third);
  });
  it('keeps nothing under a hash that is not its own', async () => {
    const directory = join(place, 'strict-cache');
    await openPinnedCache(directory).keep(sha256Hex('x'), new TextEncoder().encode('y'));
    expect(await openPinnedCache(directory).read(sha256Hex('x'))).toBeUndefined();
  });
});
