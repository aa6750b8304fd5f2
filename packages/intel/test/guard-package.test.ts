import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import { canonicalize, type JsonValue } from '@countersign/kernel';
import type { WasmGuardConfig } from '@countersign/policy';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readGuardManifest } from '../src/guard-manifest.ts';
import { readGuardPackage } from '../src/guard-package.ts';
import { INTEL_LIMITS } from '../src/limits.ts';
import { readToml } from '../src/read-toml.ts';
import { wasmGuard } from '../src/wasm-guard.ts';
import { StillWorld } from './local-source.ts';
import { capability, ECHO, guardModule, i32, sayingModule, TRAP } from './wasm-module.ts';

const MANIFEST = `# a guard of ours
[plugin]
name = "acme-deny"
version = "1.2.0"
description = 'says "no"'

[[guards]]
name = "acme.deny"
handles = [
  "file_write", # what it looks at
  "mcp_tool",
]

[[guards]]
name = "acme.other"
entrypoint = "more/other.wasm"

[capabilities]
network = true
filesystem = { read = ["/srv/**"], write = false }
secrets.access = true

[resources]
max_memory_mb = 2
max_cpu_ms = 250
max_timeout_ms = 1_000
`.replace('1_000', '1000');

const minimal = (more: string): string => `[plugin]\nname = "a"\nversion = "1.0.0"\n[[guards]]\nname = "a"\n${more}`;

describe('POL-194 manifests', () => {
  test('say what a package is', () => {
    expect(readGuardManifest(MANIFEST)).toEqual({
      ok: true,
      value: {
        name: 'acme-deny',
        version: '1.2.0',
        guards: [
          { name: 'acme.deny', entrypoint: 'guard.wasm', handles: ['file_write', 'mcp_tool'] },
          { name: 'acme.other', entrypoint: 'more/other.wasm', handles: [] },
        ],
        capabilities: ['network', 'filesystem.read', 'secrets.access'],
        memoryMb: 2,
        cpuMs: 250,
        timeoutMs: 1000,
      },
    });
  });

  test('that say little have the defaults: no capability, 64 MB, 100 ms, 5 s', () => {
    expect(readGuardManifest(minimal(''))).toMatchObject({
      ok: true,
      value: { capabilities: [], memoryMb: 64, cpuMs: 100, timeoutMs: 5000 },
    });
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['no name', '[plugin]\nversion = "1.0.0"\n[[guards]]\nname = "a"', /plugin\.name/],
    ['no version', '[plugin]\nname = "a"\n[[guards]]\nname = "a"', /plugin\.version/],
    ['no guard', '[plugin]\nname = "a"\nversion = "1.0.0"', /`guards` must hold/],
    ['a key that nobody knows', minimal('priority = "high"'), /guards\[0\]\.priority/],
    ['a table that nobody knows', minimal('[network]\nhosts = []'), /`network` is not known/],
    ['a capability that nobody knows', minimal('[capabilities]\nclock = true'), /capabilities\.clock/],
    ['a capability that is no switch', minimal('[capabilities]\nnetwork = "yes"'), /true or false/],
    ['a name with capitals', minimal('').replace('name = "a"', 'name = "A"'), /plugin\.name/],
    ['an entrypoint that leads out', minimal('entrypoint = "../guard.wasm"'), /entrypoint/],
    ['an entrypoint at the root', minimal('entrypoint = "/guard.wasm"'), /entrypoint/],
    ['an entrypoint through a dot', minimal('entrypoint = "a/./b.wasm"'), /entrypoint/],
    ['an action that nobody knows', minimal('handles = ["everything"]'), /names an action/],
    ['native code', minimal('[trust]\nsandbox = "native"'), /never loaded/],
    ['a level that nobody knows', minimal('[trust]\nlevel = "much"'), /trusted, untrusted/],
    ['two guards of one name', minimal('[[guards]]\nname = "a"'), /two guards/],
    ['memory below one', minimal('[resources]\nmax_memory_mb = 0'), /max_memory_mb/],
    ['time that is a text', minimal('[resources]\nmax_timeout_ms = "5s"'), /max_timeout_ms/],
  ];

  test.each(wrong)('%s is refused by name', (_name, text, message) => {
    const read = readGuardManifest(text);
    expect(read).toMatchObject({ ok: false, error: { code: 'guard_manifest' } });
    expect(read.ok ? '' : read.error.message).toMatch(message);
  });

  test.each([
    ['memoryMbMax', (n: number) => minimal(`[resources]\nmax_memory_mb = ${String(n)}`)],
    ['timeMsMax', (n: number) => minimal(`[resources]\nmax_timeout_ms = ${String(n)}`)],
    [
      'guardsMax',
      (n: number) =>
        `[plugin]\nname = "a"\nversion = "1.0.0"\n${Array.from({ length: n }, (_, i) => `[[guards]]\nname = "g${String(i)}"\n`).join('')}`,
    ],
    // Two entries for each letter, one for its list, and what stands before.
    ['manifestEntriesMax', (n: number) => minimal(`[capabilities.filesystem]\nread = [${'"x",'.repeat(n - 7)}]`)],
    ['manifestCharsMax', (n: number) => minimal(`display_name = "${'x'.repeat(n)}"`)],
  ] as const)('%s, and one more', (limit, text) => {
    expect(readGuardManifest(text(INTEL_LIMITS[limit]))).toMatchObject({ ok: true });
    expect(readGuardManifest(text(INTEL_LIMITS[limit] + 1))).toMatchObject({ ok: false });
  });
});

describe('POL-194 the TOML of manifests', () => {
  test.each([
    ['a = 1\n"b c" = -2\nd.e = true # rest', { a: 1, 'b c': -2, d: { e: true } }],
    ['a = "\\u00fc\\n\\"\\\\"\nb = \'c:\\d\'', { a: 'ü\n"\\', b: 'c:\\d' }],
    ['[a.b]\nc = []\n[a]\nd = { e = 1, f = [1, 2] }\r\n', { a: { b: { c: [] }, d: { e: 1, f: [1, 2] } } }],
    ['[[a]]\n[[a]]\nb = 1\n[a.c]\nd = 2', { a: [{}, { b: 1, c: { d: 2 } }] }],
    ['__proto__ = 1', Object.fromEntries([['__proto__', 1]])],
  ])('reads %j', (text, value) => {
    expect(readToml(text)).toEqual({ ok: true, value });
  });

  test.each([
    'a = 1\na = 2',
    '[a]\n[a]',
    'a = 1\n[a]',
    'a.b = 1\na = 2',
    'a = {b = 1}\na.c = 2',
    '[[a]]\n[a]\nb=1\nb=1',
    'a = [1\n[[a]]',
    'a = 1 b = 2',
    'a = 1.5',
    'a = 1979-05-27',
    'a = 0x10',
    'a = 007',
    'a = 9007199254740993',
    'a = """x"""',
    'a = "x\ny"',
    'a = "x',
    'a = "\\q"',
    'a = "\\ud800"',
    'a =',
    '= 1',
    '[a',
    'a',
    `a = ${'['.repeat(40)}${']'.repeat(40)}`,
    `${Array.from({ length: 20 }, () => 'a').join('.')} = 1`,
  ])('refuses %j with its line', (text) => {
    const read = readToml(text);
    expect(read).toMatchObject({ ok: false, error: { code: 'guard_manifest' } });
    expect(read.ok ? '' : read.error.message).toMatch(/^line \d+: /);
  });
});

let folder = '';
const world = new StillWorld();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'guard-package-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(files: Readonly<Record<string, string | Uint8Array>>): string {
  mkdirSync(join(folder, 'more'), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  return folder;
}

const manifestOf = (more = ''): string => minimal(more);
const ALLOWS = sayingModule('{"allowed":true}');

describe('POL-195 packages', () => {
  test('are hashed as a whole, with the modules as they stand on disk', () => {
    const other = guardModule();
    const found = readGuardPackage(put({ 'clawdstrike.plugin.toml': MANIFEST, 'guard.wasm': ALLOWS, 'more/other.wasm': other }));
    const modules = { 'guard.wasm': sha256Hex(ALLOWS), 'more/other.wasm': sha256Hex(other) };
    expect(found).toMatchObject({ ok: true, value: { sha256: sha256Hex(canonicalize({ manifest: sha256Hex(MANIFEST), modules })) } });
    const bytes = Uint8Array.from(other);
    bytes[bytes.length - 1] = 9;
    const changed = readGuardPackage(put({ 'more/other.wasm': bytes }));
    expect(changed.ok && found.ok && changed.value.sha256 !== found.value.sha256).toBe(true);
  });

  test.each([
    ['nothing', {}, 'guard_package'],
    ['no module', { 'clawdstrike.plugin.toml': manifestOf() }, 'guard_package'],
    ['a manifest that is none', { 'clawdstrike.plugin.toml': 'x', 'guard.wasm': ALLOWS }, 'guard_manifest'],
    ['a manifest that is not UTF-8', { 'clawdstrike.plugin.toml': Uint8Array.from([0xff]), 'guard.wasm': ALLOWS }, 'guard_manifest'],
    ['a module that is none', { 'clawdstrike.plugin.toml': manifestOf(), 'guard.wasm': 'text' }, 'guard_module'],
    [
      'a module that wants more than the manifest',
      { 'clawdstrike.plugin.toml': manifestOf('[resources]\nmax_memory_mb = 1'), 'guard.wasm': guardModule({ memory: [0, 17] }) },
      'guard_module',
    ],
  ])('%s is refused', (_name, files, code) => {
    expect(readGuardPackage(put(files))).toMatchObject({ ok: false, error: { code } });
  });

  test('a folder that is not there, and a link that leads out', () => {
    expect(readGuardPackage(join(folder, 'nowhere'))).toMatchObject({ ok: false, error: { code: 'guard_package_missing' } });
    put({ 'clawdstrike.plugin.toml': manifestOf('entrypoint = "link.wasm"') });
    const outside = mkdtempSync(join(tmpdir(), 'guard-outside-'));
    writeFileSync(join(outside, 'guard.wasm'), ALLOWS);
    symlinkSync(join(outside, 'guard.wasm'), join(folder, 'link.wasm'));
    expect(readGuardPackage(folder)).toMatchObject({
      ok: false,
      error: { code: 'guard_package', message: '`link.wasm` leads out of the package' },
    });
    rmSync(outside, { recursive: true });
  });

  test('a manifest of so many bytes, and one more', () => {
    const text = (bytes: number): string => `${manifestOf()}\n#${'x'.repeat(bytes - manifestOf().length - 2)}`;
    expect(readGuardPackage(put({ 'clawdstrike.plugin.toml': text(INTEL_LIMITS.manifestBytesMax), 'guard.wasm': ALLOWS }))).toMatchObject({
      ok: true,
    });
    expect(readGuardPackage(put({ 'clawdstrike.plugin.toml': text(INTEL_LIMITS.manifestBytesMax + 1) }))).toMatchObject({ ok: false });
  });
});

describe('POL-196 what a package says', () => {
  const config: WasmGuardConfig = {
    package: 'a',
    enabled: true,
    sha256: '',
    capabilities: [],
    config: { limit: 3 },
    async: { timeout_ms: 5000 },
  };
  const ask = async (
    files: Readonly<Record<string, string | Uint8Array>>,
    what: JsonValue,
    change: Partial<WasmGuardConfig> = {},
  ): Promise<unknown> => {
    const found = readGuardPackage(put(files));
    if (!found.ok) throw new Error(found.error.message);
    const adapter = wasmGuard(found.value, { ...config, ...change }, world);
    try {
      const answer = (await adapter.ask(what, new AbortController().signal)) as { readonly guards: unknown };
      return answer.guards;
    } catch (error) {
      return (error as { readonly code?: unknown }).code;
    } finally {
      await adapter.close?.();
    }
  };
  const about = (action: string): JsonValue => ({ action_type: action, payload: { eventType: action } });
  const files = (module: Uint8Array, more = ''): Readonly<Record<string, string | Uint8Array>> => ({
    'clawdstrike.plugin.toml': manifestOf(`${more}\n[resources]\nmax_cpu_ms = 60000`),
    'guard.wasm': module,
  });

  test.each([
    [
      '{"allowed":false,"severity":"critical","message":"no","details":{"a":1}}',
      { allowed: false, severity: 'critical', message: 'no', details: { a: 1 } },
    ],
    ['{"allowed":false}', { allowed: false, severity: 'high', message: 'Denied', details: null }],
    ['{"allowed":false,"severity":"strange"}', { allowed: false, severity: 'high', message: 'Denied', details: null }],
    ['{"allowed":true,"severity":"Warning","extra":1}', { allowed: true, severity: 'medium', message: 'Allowed', details: null }],
    ['{"allowed":true,"severity":"low"}', { allowed: true, severity: 'info', message: 'Allowed', details: null }],
  ])('%s', async (said, read) => {
    expect(await ask(files(sayingModule(said)), about('mcp_tool'))).toEqual([{ guard: 'a', ...read }]);
  });

  test.each([
    '',
    'null',
    '[]',
    '"yes"',
    '{}',
    '{"allowed":"true"}',
    '{"allowed":1}',
    '{"allowed":true,"allowed":false}',
    '{"allowed":true,"message":7}',
    '{"allowed":true} x',
  ])('%j is no answer', async (said) => {
    expect(await ask(files(sayingModule(said)), about('mcp_tool'))).toBe('guard_bad_output');
  });

  test('the guard is given what it is to judge, and its configuration', async () => {
    // Says what it was given, with "allowed" as its own member missing: then the words stand in the error; so look at the length instead.
    const given = JSON.stringify({ guard: 'a', action_type: 'patch', payload: { eventType: 'patch' }, config: { limit: 3 } });
    // Equal lengths are an allow, any other a trap.
    const equal = [0x20, 1, ...i32(given.length), 0x47, 0x04, 0x40, ...TRAP, 0x0b];
    expect(await ask(files(sayingModule('{"allowed":true}', { check: equal })), about('patch'))).toMatchObject([{ allowed: true }]);
    expect(await ask(files(sayingModule('{"allowed":true}', { check: equal })), about('custom'))).toBe('guard_trap');
  });

  test('an action that it does not handle is not shown to it', async () => {
    const deny = sayingModule('{"allowed":false}');
    expect(await ask(files(deny, 'handles = ["patch"]'), about('mcp_tool'))).toEqual([]);
    expect(await ask(files(deny, 'handles = ["patch"]'), about('patch'))).toMatchObject([{ allowed: false }]);
    expect(await ask(files(guardModule({ handles: [0x41, 0] })), about('patch'))).toEqual([]);
  });

  test('a package may do what it wishes for and what it is granted, and nothing else', async () => {
    const asks = sayingModule('{"allowed":true}', { check: capability(0) });
    const wish = '[capabilities]\nnetwork = true';
    expect(await ask(files(asks, wish), about('patch'), { capabilities: ['network'] })).toMatchObject([{ allowed: true }]);
    expect(await ask(files(asks, wish), about('patch'))).toBe('guard_capability_denied');
    expect(await ask(files(asks), about('patch'), { capabilities: ['network'] })).toBe('guard_capability_denied');
    expect(await ask(files(asks, '[capabilities]\nsubprocess = true'), about('patch'), { capabilities: ['subprocess', 'network'] })).toBe(
      'guard_capability_denied',
    );
  });

  test('an input of so many bytes, and one more', async () => {
    const around = JSON.stringify({ guard: 'a', action_type: 'patch', payload: '', config: { limit: 3 } }).length;
    const of = (bytes: number): JsonValue => ({ action_type: 'patch', payload: 'x'.repeat(bytes - around) });
    expect(await ask(files(ALLOWS), of(INTEL_LIMITS.guardInputBytesMax))).toMatchObject([{ allowed: true }]);
    expect(await ask(files(ALLOWS), of(INTEL_LIMITS.guardInputBytesMax + 1))).toBe('guard_input_too_large');
  });

  test('what it says of an action is kept up to so many characters', async () => {
    const max = INTEL_LIMITS.guardMessageCharsMax;
    for (const length of [max, max + 1]) {
      const said = `{"allowed":false,"message":"${'m'.repeat(length)}"}`;
      expect(await ask(files(sayingModule(said)), about('patch'))).toMatchObject([{ message: 'm'.repeat(max) }]);
    }
  });

  test('a package that fails in one of its guards has no answer', async () => {
    const two = {
      ...files(ALLOWS),
      'clawdstrike.plugin.toml': manifestOf('[[guards]]\nname = "b"\nentrypoint = "more/b.wasm"'),
      'more/b.wasm': guardModule({ check: TRAP }),
    };
    expect(await ask(two, about('patch'))).toBe('guard_trap');
    expect(await ask({ ...two, 'more/b.wasm': sayingModule('{"allowed":false}') }, about('patch'))).toMatchObject([
      { guard: 'a', allowed: true },
      { guard: 'b', allowed: false },
    ]);
  });

  test('a probe finds a module that is no guard', async () => {
    const found = readGuardPackage(put(files(guardModule({ without: ['clawdstrike_guard_check'], check: ECHO }))));
    if (!found.ok) throw new Error(found.error.message);
    const adapter = wasmGuard(found.value, config, world);
    expect(await adapter.probe?.(new AbortController().signal)).toMatchObject({ ok: false, error: { code: 'guard_module' } });
    await adapter.close?.();
  });
});
