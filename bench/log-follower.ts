/**
 * @module A stranger who follows a log by its public files alone: reads each entry once, recomputes the root of every checkpoint it was
 * ever shown, and checks the chain of every session. What it knows survives the server's crashes.
 */
import { parseNoteVerifierKey, sha256Hex } from '@countersign/crypto';
import { canonicalize, type JsonValue } from '@countersign/kernel';
import { type Checkpoint, createFrontier, leafHash, openCheckpoint, parseBundle, rootOf, TILE_WIDTH, tilePath } from '@countersign/log';
import type { Entry } from '@countersign/protocol';
import { request } from 'undici';

export interface Follower {
  /** Reads everything up to the newest checkpoint. Throws with a sentence when anything does not fit. */
  follow(url: string): Promise<Checkpoint>;
  /** The newest checkpoint, signed as it must be. */
  head(url: string): Promise<Checkpoint>;
  /** Looks at the checkpoint only, and keeps it to be checked later. */
  glance(url: string): Promise<void>;
  readonly receipts: ReadonlySet<string>;
  readonly size: number;
}

async function get(url: string, token: string): Promise<Uint8Array> {
  const response = await request(url, { headers: { authorization: `Bearer ${token}` } });
  const bytes = new Uint8Array(await response.body.arrayBuffer());
  if (response.statusCode !== 200) throw new Error(`GET ${new URL(url).pathname} answered ${response.statusCode}`);
  return bytes;
}

/** Follows the log that is signed by any of these verifier keys, one a line. `token` opens the entry bundles, which name tools and agents. */
export function createFollower(vkey: string, token: string): Follower {
  const verifiers = vkey.split('\n').map((line) => {
    const parsed = parseNoteVerifierKey(line);
    if (!parsed.ok) throw new Error(parsed.error.message);
    return parsed.value;
  });
  const leaves: Uint8Array[] = [];
  const receipts = new Set<string>();
  const heads = new Map<string, { seq: number; hash: string }>();
  const shown: Checkpoint[] = [];
  /** The tree up to the largest checkpoint that was checked: each leaf is hashed into it once. */
  const tree = createFrontier();

  function open(bytes: Uint8Array): Checkpoint {
    const opened = openCheckpoint(new TextDecoder().decode(bytes), verifiers);
    if (!opened.ok) throw new Error(`a torn or forged checkpoint was served: ${opened.error.message}`);
    return opened.value;
  }

  function take(bytes: Uint8Array): void {
    leaves.push(leafHash(bytes));
    const { body } = JSON.parse(new TextDecoder().decode(bytes)) as Entry;
    const chain = `${body.type === 'countersign.receipt.v1' ? body.principal.org : body.org}\n${body.session}`;
    const head = heads.get(chain);
    const wantSeq = head === undefined ? 0 : head.seq + 1;
    if (body.seq !== wantSeq || body.prev !== (head?.hash ?? null))
      throw new Error(`the chain of session ${body.session} breaks at ${body.seq}, expected ${wantSeq}`);
    heads.set(chain, { seq: body.seq, hash: sha256Hex(canonicalize(body as unknown as JsonValue)) });
    if (body.type === 'countersign.receipt.v1') receipts.add(body.id);
  }

  function rootAt(size: number): Uint8Array {
    if (size < tree.size) return rootOf(leaves.slice(0, size));
    for (const leaf of leaves.slice(tree.size, size)) tree.push(leaf, () => undefined);
    return tree.root();
  }

  function check(head: Checkpoint): void {
    if (head.size > leaves.length) throw new Error(`a checkpoint of ${head.size} was served, but only ${leaves.length} entries survived`);
    const root = rootAt(head.size);
    if (Buffer.compare(root, head.root) !== 0) throw new Error(`the root at ${head.size} is not the one that was signed`);
  }

  return {
    async head(url: string): Promise<Checkpoint> {
      return open(await get(`${url}/log/checkpoint`, token));
    },
    async glance(url: string): Promise<void> {
      shown.push(open(await get(`${url}/log/checkpoint`, token)));
    },
    async follow(url: string): Promise<Checkpoint> {
      const head = open(await get(`${url}/log/checkpoint`, token));
      for (let index = Math.floor(leaves.length / TILE_WIDTH); index * TILE_WIDTH < head.size; index += 1) {
        const width = Math.min(TILE_WIDTH, head.size - index * TILE_WIDTH);
        const entries = parseBundle(await get(`${url}/log/${tilePath({ level: 'entries', index, width })}`, token), width);
        if (entries === undefined) throw new Error(`the entry bundle ${index} is torn`);
        for (const bytes of entries.slice(leaves.length - index * TILE_WIDTH)) take(bytes);
      }
      for (const checkpoint of [...shown.splice(0), head].sort((a, b) => a.size - b.size)) check(checkpoint);
      return head;
    },
    receipts,
    get size(): number {
      return leaves.length;
    },
  };
}
