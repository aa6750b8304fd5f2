/** Code of WebAssembly that V8 would free: none is made once an engine is open. */
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';

const source = new URL('../src/engine-file.ts', import.meta.url).href;

// (module (import "m" "f" (func (param i32) (result i32))) (func (export "g") (param i32) (result i32) local.get 0 call 0))
const MODULE = '0,97,115,109,1,0,0,0,1,6,1,96,1,127,1,127,2,7,1,1,109,1,102,0,0,3,2,1,0,7,5,1,1,103,0,1,10,8,1,6,0,32,0,16,0,11';
const CALLS = `const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([${MODULE}])), { m: { f: (x) => x + 1 } });
for (let i = 0; i < 5000; i += 1) exports.g(i);`;
const OPEN = `const { openEngineFile } = await import(${JSON.stringify(source)});
await openEngineFile({ hash: 'any', bytes: new TextEncoder().encode('export const openEngine = async () => ({})') });`;

/** What V8 compiled while a script ran. */
function compiled(script: string): string {
  const args = ['--conditions=@countersign/source', '--trace-wasm-compilation-times', '--input-type=module', '--eval', script];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}

it('compiles a much called import anew where nothing was said, which is what this file is about', () => {
  expect(compiled(CALLS)).toContain('WasmToJS wrapper');
});

it('compiles no import anew once an engine was opened', () => {
  const lines = compiled(`${OPEN}\n${CALLS}`);
  expect(lines).toContain('Compiled function');
  expect(lines).not.toContain('WasmToJS wrapper');
});
