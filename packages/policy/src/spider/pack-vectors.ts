/** @module Vectors as one text: how they stand in a resolved policy and in a recorded answer. `vectors.ts` reads them, without a platform. */
import { base64 } from '@countersign/crypto';

const BYTES = 2;

/** Base64 of little-endian 16-bit integers. */
export function packVectors(vectors: readonly Int16Array[]): string {
  const bytes = new Uint8Array(vectors.reduce((sum, { length }) => sum + length, 0) * BYTES);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const vector of vectors) {
    for (const component of vector) {
      view.setInt16(at, component, true);
      at += BYTES;
    }
  }
  return base64(bytes);
}
