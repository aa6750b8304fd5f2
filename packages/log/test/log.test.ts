import { createSigner } from '@countersign/crypto';
import { expect, test } from 'vitest';
import {
  createMemoryDisk,
  createMemoryStorage,
  openLog,
  verifyInclusion,
  verifyConsistency,
  leafHash,
  type Log,
  type LogOptions,
} from '../src/index.ts';

const signer = createSigner(new Uint8Array(32).fill(7));
const ORIGIN = 'example.org/countersign/test';
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

export function open(extra: Partial<LogOptions> = {}): Promise<Log> {
  return openLog({ storage: createMemoryStorage(), origin: ORIGIN, noteSigner: { name: ORIGIN, signer }, ...extra });
}

test('every record is proven by the published checkpoint, before and after reopening', async () => {
  const disk = createMemoryDisk();
  let log = await open({ storage: createMemoryStorage(disk) });
  for (let i = 0; i < 600; i += 1) log.append({ entry: text(`entry ${i}`), attachments: [text(`side ${i}`)] });
  const last = await log.whenPublished(599);
  expect(last.size).toBe(600);
  for (const pass of [0, 1]) {
    const { size, root } = log.checkpoint;
    for (let index = 0; index < size; index += 7) {
      const proof = await log.inclusionProof(index, size);
      expect(verifyInclusion({ index, size, leaf: leafHash(text(`entry ${index}`)), proof, root })).toBe(true);
      const proof2 = await log.consistencyProof(index, size);
      expect(verifyConsistency({ oldSize: index, oldRoot: await log.rootAt(index), newSize: size, newRoot: root, proof: proof2 })).toBe(
        true,
      );
      const record = await log.readRecord(index);
      expect(new TextDecoder().decode(record.attachments[0])).toBe(`side ${index}`);
    }
    await log.close();
    if (pass === 0) log = await open({ storage: createMemoryStorage(disk) });
  }
});
