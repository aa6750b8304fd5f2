/** `policy patterns build` against a server of this machine. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { sha256Hex } from '@countersign/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeWorld, fakeWorld } from './fake-world.ts';

let world: FakeWorld;
let server: Server;
let url = '';
let failing = false;
const seen: { readonly texts: number; readonly key: string | undefined }[] = [];

beforeAll(async () => {
  world = fakeWorld();
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { input } = JSON.parse(Buffer.concat(parts).toString()) as { readonly input: string | readonly string[] };
      const texts = typeof input === 'string' ? [input] : input;
      seen.push({ texts: texts.length, key: request.headers.authorization });
      if (failing) return response.writeHead(401).end('{}');
      return response.end(JSON.stringify({ data: texts.map((text) => ({ embedding: [text.length, 1, -1] })) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/embeddings`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  world.remove();
});

const build = (...more: readonly string[]): readonly string[] => ['policy', 'patterns', 'build', '--url', url, '--model', 'small', ...more];

describe('POL-184 policy patterns build', () => {
  it('makes a database of the built-in texts, and a policy with what it prints is one', async () => {
    const { exitCode, stdout } = await world.run(build('--out', 'db.json', '--key', 'MY_KEY'), { env: { MY_KEY: 'secret-of-mine' } });
    expect(exitCode).toBe(0);
    expect(stdout).toContain('36 patterns of 3 numbers');
    expect(seen).toEqual([16, 16, 4].map((texts) => ({ texts, key: 'Bearer secret-of-mine' })));
    const file = readFileSync(join(world.root, 'db.json'));
    expect(stdout).toContain(`pattern_db_checksum: ${sha256Hex(file)}`);
    expect(file.toString()).not.toContain('secret-of-mine');
    const block = stdout.split('\n').filter((line) => line.startsWith('  '));
    const policy = ['version: "1.3.0"', 'name: mine', 'extends: default', 'guards:', '  spider_sense:', `    embedding_api_url: ${url}`];
    const input = [...policy, ...block.map((line) => `  ${line}`), ''].join('\n');
    const validated = await world.run(['policy', 'validate', '-'], { input });
    expect([validated.exitCode, validated.stderr]).toEqual([0, '']);
    expect(validated.stdout).toContain('spider_sense');
  });

  it('takes texts of your own, and refuses what is none', async () => {
    const entry = { id: 'a', category: 'c', stage: 'action', label: 'l', text: 'some text' };
    const texts = async (value: unknown): Promise<number> => {
      writeFileSync(join(world.root, 'texts.json'), JSON.stringify(value));
      return (await world.run(build('--texts', 'texts.json', '--out', 'own.json', '--force'))).exitCode;
    };
    expect(await texts([entry])).toBe(0);
    expect(JSON.parse(readFileSync(join(world.root, 'own.json'), 'utf8'))).toEqual([
      { id: 'a', category: 'c', stage: 'action', label: 'l', embedding: [32_767, 3641, -3641] },
    ]);
    for (const bad of [
      {},
      [],
      [{ ...entry, text: '' }],
      [{ ...entry, text: 'x'.repeat(2049) }],
      [{ ...entry, stage: 'x' }],
      [{ text: 'x' }],
    ])
      expect(await texts(bad)).toBe(3);
  });

  it('says what is missing: server, model, file, the value of a key; and writes over nothing', async () => {
    const codeOf = async (args: readonly string[]): Promise<number> => (await world.run(args)).exitCode;
    expect(await codeOf(['policy', 'patterns', 'build', '--out', 'x.json'])).toBe(5);
    expect(await codeOf(build())).toBe(5);
    expect(await codeOf(build('--out', 'x.json', '--key', 'sk-live'))).toBe(5);
    expect(await codeOf(build('--out', 'x.json', '--key', 'NOT_SET'))).toBe(3);
    expect(await codeOf(['policy', 'patterns', 'build', '--url', 'http://far.example/', '--model', 'm', '--out', 'x.json'])).toBe(3);
    expect(await codeOf(build('--out', 'db.json'))).toBe(3);
  });

  it('ends with what the server said, and writes nothing', async () => {
    failing = true;
    const { exitCode, stderr } = await world.run(build('--out', 'none.json'));
    failing = false;
    expect([exitCode, stderr]).toEqual([4, expect.stringContaining('unauthorized')]);
    expect(() => readFileSync(join(world.root, 'none.json'))).toThrow('ENOENT');
  });

  it('lists and shows the ruleset that needs it, whether or not it is set up', async () => {
    const { answer } = await world.ask(['policy', 'list']);
    expect(answer['policies']).toContainEqual({ name: 'spider-sense', hash: null, description: expect.stringContaining('nearness') });
    expect((await world.run(['policy', 'show', 'spider-sense'])).stdout).toContain('${SPIDER_SENSE_PATTERN_DB}');
    const resolved = await world.run(['policy', 'show', 'spider-sense', '--resolved']);
    expect([resolved.exitCode, resolved.stderr]).toEqual([3, expect.stringContaining('SPIDER_SENSE_PATTERN_DB')]);
  });
});
