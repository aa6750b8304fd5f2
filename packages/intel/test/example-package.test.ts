import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readGuardPackage } from '../src/guard-package.ts';
import { proveGuardPackage } from '../src/wasm-guard.ts';
import { sayingModule } from './wasm-module.ts';

const EXAMPLES = new URL('../../../examples/guards/', import.meta.url);
const folder = new URL('change-freeze/', EXAMPLES);
const SAID = '{"allowed":false,"severity":"error","message":"Changes are frozen"}';

describe('POL-195 the example', () => {
  test('is the module that its text says, and a guard', async () => {
    const module = new URL('guard.wasm', folder);
    if (process.env['WRITE_EXAMPLES'] === '1') writeFileSync(module, sayingModule(SAID));
    expect(Buffer.from(readFileSync(module)).equals(Buffer.from(sayingModule(SAID)))).toBe(true);
    const text = readFileSync(new URL('guard.wat', folder), 'utf8');
    expect(text).toContain(SAID.replaceAll('"', String.raw`\"`));
    expect(text).toContain(`i32.const ${String(SAID.length)}`);
    const found = readGuardPackage(folder.pathname);
    if (!found.ok) throw new Error(found.error.message);
    const timer = { after: () => (): undefined => undefined };
    expect(await proveGuardPackage(found.value, { timer })).toEqual({ ok: true, value: undefined });
    expect(readFileSync(new URL('policy.yaml', EXAMPLES), 'utf8')).toContain(`sha256: ${found.value.sha256}`);
  });
});
