/** Exports against code and data that are not ours: a Python program, and the fixtures of Clawdstrike. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalize, type JsonObject, type JsonValue } from '@countersign/kernel';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exactLiterals, signedTexts } from '../src/export-clawdstrike-json.ts';
import { exportDsse, exportSignedReceipt, exportSpine, verifySignedReceipt } from '../src/exports.ts';
import { hex, receiptAt, session, signer, stranger, trust } from './export-fixtures.ts';

const PROGRAM = fileURLToPath(new URL('../../../test/interop/python/verify_exports.py', import.meta.url));
const python = spawnSync('python3', ['-c', 'import cryptography']).status === 0;
const without = python ? '' : ' (skipped: there is no python3 with `cryptography` on this machine)';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-exports-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function bytesOf(result: ReturnType<typeof exportSpine>): Uint8Array {
  if (result.ok) return result.value;
  throw new Error(result.error.code);
}

function store(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

test.skipIf(!python)(`EXP-011 EXP-023 EXP-041 a Python program without our code verifies the same files, and no other${without}`, () => {
  const files = [
    store('a.dsse.json', exportDsse(receiptAt(3), [signer])),
    store('a.signed-receipt.json', bytesOf(exportSignedReceipt(receiptAt(3), signer))),
    store('a.spine.jsonl', bytesOf(exportSpine(session, signer))),
  ];
  const run = (key: string, paths: readonly string[]): string =>
    execFileSync('python3', [PROGRAM, key, ...paths], { encoding: 'utf8', stdio: 'pipe' }).trim();
  const key = hex(signer.publicKey);
  expect(run(key, files)).toBe(`ok ${receiptAt(3).id} ${receiptAt(3).id} ${session.length}`);
  expect(() => run(hex(stranger.publicKey), files)).toThrow('InvalidSignature');
  const wrong = store(
    'b.dsse.json',
    Buffer.from(
      Buffer.from(exportDsse(receiptAt(3), [signer]))
        .toString()
        .replace('in-toto', 'out-toto'),
    ),
  );
  expect(() => run(key, [wrong, ...files.slice(1)])).toThrow('InvalidSignature');
});

const shared = process.env['COUNTERSIGN_SHARED'] ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
const archive = join(shared, 'conformance/clawdstrike-fixtures.tar.gz');
const present = existsSync(archive);

function fixture(path: string): unknown {
  return JSON.parse(execFileSync('tar', ['xzOf', archive, `./fixtures/${path}`], { encoding: 'utf8' }));
}

describe.skipIf(!present)(`fixtures of Clawdstrike${present ? '' : ' (skipped: ../shared is absent; set COUNTERSIGN_SHARED)'}`, () => {
  const sign = (receipt: JsonValue, text = canonicalize(receipt)): Uint8Array =>
    Buffer.from(JSON.stringify({ receipt, signatures: { signer: hex(signer.sign(text)) } }, null, 2));

  test('EXP-030 receipt versions have their answers', async () => {
    const receipt = fixture('receipts/no_posture_legacy.json') as JsonObject;
    const cases = fixture('receipts/version_cases.json') as {
      name: string;
      version: string;
      supported: boolean;
      error_contains?: string;
    }[];
    expect(cases.length).toBeGreaterThan(5);
    for (const { name, version, supported, error_contains: error = '' } of cases) {
      const { provenance: _, ...rest } = receipt;
      const report = await verifySignedReceipt(sign({ ...rest, version }), trust);
      const failed = report.checks.filter(({ status }) => status === 'fail').map(({ code }) => code);
      const wanted = error.startsWith('Invalid') ? ['VFY_RECEIPT_VERSION_INVALID'] : ['VFY_RECEIPT_VERSION_UNSUPPORTED'];
      expect([name, report.ok, failed]).toEqual([name, supported, supported ? [] : wanted]);
    }
  });

  test.each(['no_posture_legacy', 'posture_allow', 'posture_deny_budget', 'posture_deny_capability', 'posture_transition'])(
    'EXP-031 the receipt %s is read, and signed as their types write it',
    async (name) => {
      const receipt = fixture(`receipts/${name}.json`) as JsonObject & { provenance: JsonObject & { violations: JsonValue[] } };
      const { violations, ...provenance } = receipt.provenance;
      const written = { ...receipt, provenance: violations.length === 0 ? provenance : receipt.provenance };
      const text = canonicalize(written);
      const report = await verifySignedReceipt(sign(receipt, text), trust);
      expect([report.ok, report.content]).toEqual([true, { receipt: written }]);
      // A null deep inside the metadata is part of what is signed.
      const changed = await verifySignedReceipt(sign(receipt, text.replace(/,?"transition":null/, '')), trust);
      expect(changed.ok).toBe(!text.includes('"transition":null'));
    },
  );

  test('EXP-031 canonical texts are theirs', () => {
    const rows = fixture('canonical/jcs_vectors.json') as { name: string; input: JsonValue; expected: string }[];
    expect(rows.length).toBeGreaterThan(5);
    for (const { name, input, expected } of rows)
      expect([name, signedTexts(input, '', new Map())]).toEqual([name, { ok: true, value: [expected] }]);
  });
});

test('EXP-031 EXP-032 the two spellings of one value, and numbers that have none', () => {
  expect(signedTexts({ a: '\u007f\u009f\u00a0' }, '', new Map())).toEqual({
    ok: true,
    value: ['{"a":"\u007f\u009f\u00a0"}', '{"a":"\\u007f\\u009f\u00a0"}'],
  });
  const value = { b: ['9007199254740993', 'x'], a: '-9223372036854775808' };
  const literals = exactLiterals(value, ['/b/0', '/a', '/nowhere']);
  expect(signedTexts(value, '', literals)).toEqual({ ok: true, value: ['{"a":-9223372036854775808,"b":[9007199254740993,"x"]}'] });
  for (const literal of [
    '-9223372036854775809',
    '18446744073709551616',
    '1.00000000000000000001',
    '1e400',
    '-0.00000000000000000000000000001e-400',
  ])
    expect([literal, signedTexts([literal], '/at', new Map([['/at/0', literal]]))]).toMatchObject([
      literal,
      { ok: false, error: { code: 'number_not_covered', path: '/at/0' } },
    ]);
});
