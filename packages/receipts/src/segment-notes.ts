/**
 * @module What the recorder keeps of a closed segment beside its index (spec/log.md, LOG-013), to find ids and the heads of chains again
 * without reading the records: a hash of each id, and where each chain stood at the end of the segment. Derived: a segment whose notes
 * are missing is read instead. Form, big endian: `CSN2`, records (4), a hash of 4 bytes for each; chains (4), and for each the length of its
 * name (2), the name, counter (6), hash of the last body (32), place in the log (6), 1 where a session end is in it or else 0 (1).
 */
import { fromHex, toHex } from './hex.ts';
import type { Head } from './chains.ts';
import { utf8, utf8Text } from './jcs.ts';

export interface SegmentNotes {
  /** One for each record, in order; 0 for an entry of another room. */
  readonly idHashes: readonly number[];
  /** By the name of the chain. */
  readonly heads: ReadonlyMap<string, Head>;
}

const HASH_BYTES = 32;
const CHAIN_BYTES = 2 + 6 + HASH_BYTES + 6 + 1;
/** Notes of an older form do not know which chains are closed: they are none, and the records are read. */
const MAGIC = 0x43_53_4e_32;
const TWO_32 = 0x1_0000_0000;

export function writeSegmentNotes({ idHashes, heads }: SegmentNotes): Uint8Array {
  const names = [...heads].map(([name, head]) => ({ name: utf8(name), head }));
  const length = names.reduce((sum, { name }) => sum + CHAIN_BYTES + name.length, 12 + 4 * idHashes.length);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const u32 = (value: number): void => {
    view.setUint32(at, value);
    at += 4;
  };
  const u48 = (value: number): void => {
    view.setUint16(at, Math.floor(value / TWO_32));
    view.setUint32(at + 2, value % TWO_32);
    at += 6;
  };
  u32(MAGIC);
  u32(idHashes.length);
  for (const hash of idHashes) u32(hash);
  u32(names.length);
  for (const { name, head } of names) {
    view.setUint16(at, name.length);
    bytes.set(name, at + 2);
    at += 2 + name.length;
    u48(head.seq);
    bytes.set(fromHex(head.hash), at);
    at += HASH_BYTES;
    u48(head.index);
    view.setUint8(at, head.closed ? 1 : 0);
    at += 1;
  }
  return bytes;
}

/** The notes in `bytes`, or undefined where they are none: whoever kept them did not know of chains. */
export function readSegmentNotes(bytes: Uint8Array): SegmentNotes | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 12 || view.getUint32(0) !== MAGIC) return undefined;
  const count = view.getUint32(4);
  let at = 8 + 4 * count;
  if (at + 4 > bytes.length) return undefined;
  const idHashes = Array.from({ length: count }, (_, i) => view.getUint32(8 + 4 * i));
  const chains = view.getUint32(at);
  at += 4;
  const heads = new Map<string, Head>();
  for (let n = 0; n < chains; n += 1) {
    const length = at + 2 <= bytes.length ? view.getUint16(at) : 0;
    const end = at + CHAIN_BYTES + length;
    const name = end <= bytes.length ? utf8Text(bytes.subarray(at + 2, at + 2 + length)) : undefined;
    if (name === undefined) return undefined;
    const from = at + 2 + length;
    const u48 = (place: number): number => view.getUint16(place) * TWO_32 + view.getUint32(place + 2);
    heads.set(name, {
      seq: u48(from),
      hash: toHex(bytes.subarray(from + 6, from + 6 + HASH_BYTES)),
      index: u48(from + 6 + HASH_BYTES),
      closed: view.getUint8(end - 1) === 1,
    });
    at = end;
  }
  return at === bytes.length ? { idHashes, heads } : undefined;
}
