import { sha256Hex } from '@countersign/crypto';
import { describe, expect, test } from 'vitest';
import { createMemoryDisk, isPublishedPath, parseTilePath, readAnswer, tilePath, type MemoryDisk, type ReadAnswer } from '../src/index.ts';
import { openOn, textOf, write } from './fixtures.ts';

const entriesTo = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `entry ${i}`);

async function published(count: number): Promise<MemoryDisk> {
  const disk = createMemoryDisk();
  const log = await openOn(disk);
  await write(log, entriesTo(count));
  await log.close();
  return disk;
}

const disk = await published(300);

function ask(path: string, headers: { ifNoneMatch?: string; acceptEncoding?: string } = {}, method = 'GET'): Promise<ReadAnswer> {
  return readAnswer({ method, path, ...headers }, (file) => Promise.resolve(disk.files.get(file)));
}

describe('LOG-021 LOG-090 the one spelling of a path', () => {
  test.each([
    'tile/0/000',
    'tile/63/000',
    'tile/entries/000',
    'tile/0/000.p/1',
    'tile/0/000.p/255',
    'tile/0/999.p/10',
    'tile/0/x001/000',
    'tile/1/x001/x234/067.p/100',
    'tile/0/x009/x007/x199/x254/x740/991',
  ])('%s names a tile', (path) => {
    const tile = parseTilePath(path);
    expect(tile === undefined ? '' : tilePath(tile)).toBe(path);
    expect(isPublishedPath(path)).toBe(true);
  });

  test.each([
    ['a level above 63', 'tile/64/000'],
    ['a level of two digits with a zero', 'tile/00/000'],
    ['a level with a leading zero', 'tile/01/000'],
    ['a negative level', 'tile/-1/000'],
    ['a level of another kind', 'tile/data/000'],
    ['no level', 'tile/000'],
    ['a width of zero', 'tile/0/000.p/0'],
    ['a width with a leading zero', 'tile/0/000.p/01'],
    ['a full width as a partial one', 'tile/0/000.p/256'],
    ['a width of four digits', 'tile/0/000.p/1000'],
    ['no width', 'tile/0/000.p/'],
    ['a partial folder', 'tile/0/000.p'],
    ['two digits', 'tile/0/00'],
    ['four digits', 'tile/0/0000'],
    ['a last group with an x', 'tile/0/x000'],
    ['a first group without an x', 'tile/0/001/000'],
    ['an empty group in front', 'tile/0/x000/001'],
    ['an index above 2^53', 'tile/0/x009/x007/x199/x254/x740/992'],
    ['seven groups', 'tile/0/x001/x000/x000/x000/x000/x000/000'],
    ['a slash in front', '/tile/0/000'],
    ['a slash behind', 'tile/0/000/'],
    ['a newline behind', 'tile/0/000\n'],
    ['two dots', 'tile/0/../0/000'],
    ['an escaped slash', 'tile%2F0%2F000'],
    ['a query', 'tile/0/000?x'],
    ['other digits', 'tile/0/\u0660\u0660\u0660'],
    ['more than 64 characters', `tile/0/${'x000/'.repeat(20)}000`],
    ['the journal', 'journal/0000000000.seg'],
    ['capitals', 'Checkpoint'],
    ['nothing', ''],
  ])('%s names nothing', async (_what, path) => {
    expect(parseTilePath(path)).toBeUndefined();
    expect(isPublishedPath(path)).toBe(false);
    expect(await ask(path)).toEqual({ status: 404, headers: { 'cache-control': 'no-store' }, body: undefined, gzip: false });
    expect((await ask(path, {}, 'POST')).status).toBe(404);
  });
});

describe('LOG-090 the read API', () => {
  const note = disk.files.get('checkpoint') ?? new Uint8Array(0);
  const etag = `"${sha256Hex(note).slice(0, 32)}"`;
  const caching = { 'cache-control': 'no-cache', etag };

  test('a checkpoint is text that is asked for again each time', async () => {
    const headers = { 'content-type': 'text/plain; charset=utf-8', ...caching };
    expect(await ask('checkpoint', { acceptEncoding: 'gzip' })).toEqual({ status: 200, headers, body: note, gzip: false });
  });

  test.each([
    ['the tag', etag, 304],
    ['the tag as a weak one', `W/${etag}`, 304],
    ['the tag among others', `"a", ${etag} ,"b"`, 304],
    ['any', '*', 304],
    ['another tag', '"00000000000000000000000000000000"', 200],
    ['the tag without its quotes', etag.slice(1, -1), 200],
    ['nothing', '', 200],
    ['a list of 1,024 characters', `${' '.repeat(1024 - etag.length)}${etag}`, 304],
    ['a list of 1,025 characters', `${' '.repeat(1025 - etag.length)}${etag}`, 200],
  ])('a checkpoint for whoever has %s', async (_what, ifNoneMatch, status) => {
    const answer = await ask('checkpoint', { ifNoneMatch });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject(caching);
    expect(answer.body === undefined).toBe(status === 304);
  });

  test('the tag of a checkpoint changes with it', async () => {
    const other = (await published(301)).files.get('checkpoint');
    const answer = await readAnswer({ method: 'GET', path: 'checkpoint', ifNoneMatch: etag }, () => Promise.resolve(other));
    expect(answer).toMatchObject({ status: 200, body: other });
  });

  test.each(['tile/0/000', 'tile/0/001.p/44', 'tile/1/000.p/1'])('%s is for ever, and hashes do not compress', async (path) => {
    const answer = await ask(path, { acceptEncoding: 'gzip' });
    const headers = { 'content-type': 'application/octet-stream', 'cache-control': 'public, max-age=31536000, immutable' };
    expect(answer).toEqual({ status: 200, headers, body: disk.files.get(path), gzip: false });
  });

  test.each([
    [undefined, false],
    ['gzip', true],
    ['GZIP', true],
    ['deflate, gzip;q=0.5', true],
    ['x-gzip', true],
    ['*', true],
    ['br, *;q=0.1', true],
    ['identity', false],
    ['br', false],
    ['gzip;q=0', false],
    ['gzip; q=0.000, *', false],
    ['*;q=0', false],
    ['', false],
    ['gzipped', false],
    [`${' '.repeat(1020)}gzip`, true],
    [`${' '.repeat(1021)}gzip`, false],
  ])('an entry bundle for whoever accepts `%s`', async (acceptEncoding, gzip) => {
    for (const path of ['tile/entries/000', 'tile/entries/001.p/44']) {
      const answer = await ask(path, acceptEncoding === undefined ? {} : { acceptEncoding });
      expect(answer).toMatchObject({ status: 200, body: disk.files.get(path), gzip });
      expect(answer.headers).toEqual({
        'content-type': 'application/octet-stream',
        'cache-control': 'public, max-age=31536000, immutable',
        vary: 'accept-encoding',
        ...(gzip ? { 'content-encoding': 'gzip' } : {}),
      });
    }
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'get', ''])('%s is not allowed', async (method) => {
    for (const path of ['checkpoint', 'tile/0/000', 'tile/entries/000', 'tile/7/123'])
      expect(await ask(path, {}, method)).toEqual({ status: 405, headers: { allow: 'GET, HEAD' }, body: undefined, gzip: false });
  });

  test('HEAD is answered as GET is', async () => {
    for (const path of ['checkpoint', 'tile/0/000', 'tile/0/001']) expect(await ask(path, {}, 'HEAD')).toEqual(await ask(path));
  });

  test('what a log has not published is not there', async () => {
    for (const path of ['tile/0/001', 'tile/0/001.p/43', 'tile/1/000', 'tile/1/001.p/1', 'tile/2/000.p/1', 'tile/entries/002.p/1'])
      expect((await ask(path)).status).toBe(404);
    const empty = await readAnswer({ method: 'GET', path: 'checkpoint' }, () => Promise.resolve(undefined));
    expect(empty.status).toBe(404);
  });

  test.each([1, 44, 255])('LOG-025 the partial tile of width %i is cut from the full one that took its place', async (width) => {
    const small = await published(width);
    for (const level of [0, 'entries'] as const) {
      const path = tilePath({ level, index: 0, width });
      expect(disk.files.has(path)).toBe(false);
      expect(textOf((await ask(path)).body)).toBe(textOf(small.files.get(path)));
    }
  });

  test('a full bundle that is damaged is not cut', async () => {
    const read = (path: string): Promise<Uint8Array | undefined> =>
      Promise.resolve(path.endsWith('/000') ? disk.files.get('tile/entries/000')?.subarray(0, 11) : undefined);
    expect(await readAnswer({ method: 'GET', path: 'tile/entries/000.p/1' }, read)).toMatchObject({ status: 200 });
    expect(await readAnswer({ method: 'GET', path: 'tile/entries/000.p/2' }, read)).toMatchObject({ status: 404 });
  });
});
