/** @module Paths of published files, as C2SP tlog-tiles names them. */

/** Hashes of a full tile, entries of a full bundle: 2^8, the height that tlog-tiles fixes. */
export const TILE_WIDTH = 256;
export const CHECKPOINT_PATH = 'checkpoint';
/** All tiles and bundles live below. */
export const TILE_FOLDER = 'tile';

const WIDTH_STEP = 1000;

/** `x001/x234/067` for 1234067. */
function numbered(n: number): string {
  let text = String(n % WIDTH_STEP).padStart(3, '0');
  for (let rest = Math.floor(n / WIDTH_STEP); rest > 0; rest = Math.floor(rest / WIDTH_STEP)) {
    text = `x${String(rest % WIDTH_STEP).padStart(3, '0')}/${text}`;
  }
  return text;
}

/** A tile or a bundle: `level` is a number or `entries`; `width` below 256 makes it partial. */
export interface TileName {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

export function tilePath(tile: TileName): string {
  const full = `${TILE_FOLDER}/${tile.level}/${numbered(tile.index)}`;
  return tile.width === TILE_WIDTH ? full : `${full}.p/${tile.width}`;
}

/** Folder of the partial versions of a tile. */
export function partialFolder(tile: Omit<TileName, 'width'>): string {
  return `${tilePath({ ...tile, width: TILE_WIDTH })}.p`;
}

const PUBLISHED_TILE =
  /^tile\/(entries|[0-9]|[1-5][0-9]|6[0-3])((?:\/x[0-9]{3}){0,5}\/[0-9]{3})(?:\.p\/([1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?$/;
/** More than the longest path of a tile has. */
const PATH_CHARS_MAX = 64;

/**
 * What a path names, or undefined where it names no tile. Only the one spelling that `tilePath` writes is read: no leading zeroes,
 * no empty groups in front, levels to 63, widths 1 to 255 for partial tiles, indexes below 2^53.
 */
export function parseTilePath(path: string): TileName | undefined {
  const found = path.length <= PATH_CHARS_MAX ? PUBLISHED_TILE.exec(path) : null;
  if (found === null) return undefined;
  const [, level = '', groups = '', width = String(TILE_WIDTH)] = found;
  const index = Number(groups.replaceAll(/[x/]/g, ''));
  const tile: TileName = { level: level === 'entries' ? level : Number(level), index, width: Number(width) };
  return Number.isSafeInteger(index) && tilePath(tile) === path ? tile : undefined;
}

/** True for a path that a log may publish: safe to look up for a stranger. */
export function isPublishedPath(path: string): boolean {
  return path === CHECKPOINT_PATH || parseTilePath(path) !== undefined;
}
