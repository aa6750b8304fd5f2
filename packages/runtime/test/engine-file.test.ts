/** Engines by the bytes of their file. */
import { expect, it } from 'vitest';
import { openEngineFile, readEngineFile } from '../src/index.ts';
import { RUNTIME_LIMITS } from '../src/limits.ts';

const text = (source: string): { readonly hash: string; readonly bytes: Uint8Array } => ({
  hash: 'any',
  bytes: new TextEncoder().encode(source),
});

it('is started once for the same bytes, and once for each of others', async () => {
  const file = await readEngineFile();
  expect(await openEngineFile(file)).toBe(await openEngineFile({ ...file, bytes: file.bytes.slice() }));
  const other = text('export const openEngine = async () => ({ other: true });');
  expect(await openEngineFile(other)).not.toBe(await openEngineFile(file));
});

it('is asked for again where it did not start', async () => {
  const broken = text('export const openEngine = async () => { throw new Error("no"); };');
  await expect(openEngineFile(broken)).rejects.toMatchObject({ code: 'engine_invalid' });
  await expect(openEngineFile(broken)).rejects.toMatchObject({ code: 'engine_invalid' });
});

it('is kept while there is room, and started anew after that', async () => {
  const engine = (n: number): ReturnType<typeof text> => text(`export const openEngine = async () => ({ number: ${n} });`);
  const first = await openEngineFile(engine(0));
  for (let n = 1; n < RUNTIME_LIMITS.enginesKept; n += 1) await openEngineFile(engine(n));
  expect(await openEngineFile(engine(0))).toBe(first);
  await openEngineFile(engine(RUNTIME_LIMITS.enginesKept));
  expect(await openEngineFile(engine(0))).not.toBe(first);
});
