/**
 * @module The read API of a log (spec/log.md LOG-090, C2SP tlog-tiles): what to answer to one HTTP request for a published file. Pure:
 * a door gives the request and a reader, adds credentials where it wants them, compresses, and sends. Every door answers alike by this.
 */
import { sha256Hex } from '@countersign/crypto';
import { cutBundle } from './entry-bundles.ts';
import { HASH_BYTES } from './merkle.ts';
import { CHECKPOINT_PATH, parseTilePath, TILE_WIDTH, tilePath, type TileName } from './tile-path.ts';

export interface ReadRequest {
  readonly method: string;
  /** Path below the prefix of the log, as it came: without a slash in front, not decoded. */
  readonly path: string;
  readonly ifNoneMatch?: string | undefined;
  readonly acceptEncoding?: string | undefined;
}

export interface ReadAnswer {
  readonly status: 200 | 304 | 404 | 405;
  /** Names in lower case. Lengths are left to the door, which knows what it sends. */
  readonly headers: Readonly<Record<string, string>>;
  /** What to send, or undefined for an answer without a body. A door leaves it out for `HEAD`. */
  readonly body: Uint8Array | undefined;
  /** True: the body is to be sent through gzip, as `content-encoding` already says. */
  readonly gzip: boolean;
}

/** Reads one published file. Undefined: there is none. */
export type ReadFile = (path: string) => Promise<Uint8Array | undefined>;

const ALLOWED = 'GET, HEAD';
const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Hex digits of an `ETag`: 128 bits of the hash of the file. */
const ETAG_CHARS = 32;
/** Characters of a request header that are looked at. */
const HEADER_CHARS_MAX = 1024;

/** What is not there yet may be there in a moment: nobody may keep that it is not. */
const NOT_KEPT = { 'cache-control': 'no-store' };

function without(status: 304 | 404 | 405, headers: Readonly<Record<string, string>> = {}): ReadAnswer {
  return { status, headers, body: undefined, gzip: false };
}

/** True where one of the tags of `If-None-Match` is this one; weak tags count, as RFC 9110 says for this header. */
function isSameTag(header: string | undefined, tag: string): boolean {
  if (header === undefined || header.length > HEADER_CHARS_MAX) return false;
  return header.split(',').some((part) => {
    const one = part.trim();
    return one === '*' || one === tag || one === `W/${tag}`;
  });
}

/** True where `Accept-Encoding` names gzip, or anything, with a weight above zero. */
function acceptsGzip(header: string | undefined): boolean {
  if (header === undefined || header.length > HEADER_CHARS_MAX) return false;
  let any = false;
  for (const part of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    const accepted = !parameters.some((text) => /^q=0(?:\.0{0,3})?$/.test(text));
    if (name === 'gzip' || name === 'x-gzip') return accepted;
    if (name === '*') any = accepted;
  }
  return any;
}

/**
 * The bytes of a tile. A partial one whose full one is there is its beginning: publication removes partial tiles, and a reader that has
 * just seen the checkpoint that needs them must not come too late.
 */
async function tileBytes(tile: TileName, read: ReadFile): Promise<Uint8Array | undefined> {
  const found = await read(tilePath(tile));
  if (found !== undefined || tile.width === TILE_WIDTH) return found;
  const full = await read(tilePath({ ...tile, width: TILE_WIDTH }));
  if (full === undefined) return undefined;
  return tile.level === 'entries' ? cutBundle(full, tile.width) : full.subarray(0, tile.width * HASH_BYTES);
}

async function checkpointAnswer(request: ReadRequest, read: ReadFile): Promise<ReadAnswer> {
  const body = await read(CHECKPOINT_PATH);
  if (body === undefined) return without(404, NOT_KEPT);
  const etag = `"${sha256Hex(body).slice(0, ETAG_CHARS)}"`;
  const caching = { 'cache-control': 'no-cache', etag };
  if (isSameTag(request.ifNoneMatch, etag)) return without(304, caching);
  return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8', ...caching }, body, gzip: false };
}

async function tileAnswer(tile: TileName, request: ReadRequest, read: ReadFile): Promise<ReadAnswer> {
  const body = await tileBytes(tile, read);
  if (body === undefined) return without(404, NOT_KEPT);
  const headers = { 'content-type': 'application/octet-stream', 'cache-control': IMMUTABLE };
  // Hashes do not compress.
  if (tile.level !== 'entries') return { status: 200, headers, body, gzip: false };
  const gzip = acceptsGzip(request.acceptEncoding);
  return {
    status: 200,
    headers: { ...headers, vary: 'accept-encoding', ...(gzip ? { 'content-encoding': 'gzip' } : {}) },
    body,
    gzip,
  };
}

/** What to answer. Rejects only with what `read` rejects with. */
export async function readAnswer(request: ReadRequest, read: ReadFile): Promise<ReadAnswer> {
  const tile = request.path === CHECKPOINT_PATH ? undefined : parseTilePath(request.path);
  if (request.path !== CHECKPOINT_PATH && tile === undefined) return without(404, NOT_KEPT);
  if (request.method !== 'GET' && request.method !== 'HEAD') return without(405, { allow: ALLOWED });
  return tile === undefined ? checkpointAnswer(request, read) : tileAnswer(tile, request, read);
}
