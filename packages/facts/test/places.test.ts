import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAddress } from '../src/addresses.ts';
import { FACTS_LIMITS } from '../src/limits.ts';
import { normalizePath } from '../src/normalize-path.ts';
import { readAuthority, readHost, readUrl } from '../src/read-host.ts';
import { vectorsOf } from './vectors.ts';

interface PathCase {
  readonly path: string;
  readonly normalized: string;
  readonly traversal: boolean;
  readonly layers: readonly string[];
}

interface HostCase {
  readonly url: string;
  readonly host: string;
  readonly scheme: string;
  readonly port?: number;
  readonly address?: string;
  readonly oddities: readonly string[];
  readonly shown?: string;
}

describe('normalizePath', () => {
  it.each(vectorsOf('paths.json') as readonly PathCase[])('$path', (expected) => {
    const { normalized, traversal, layers } = normalizePath(expected.path);
    expect({ normalized, traversal, layers }).toEqual({
      normalized: expected.normalized,
      traversal: expected.traversal,
      layers: expected.layers,
    });
  });

  const piece = fc.constantFrom(
    '/',
    '//',
    '.',
    '..',
    '...',
    '....',
    'a',
    'B',
    '~',
    '%2e',
    '%252f',
    '%c0%af',
    '\\',
    '\0',
    ' ',
    'proc',
    'self',
    'root',
    'C:',
    '$HOME',
    'file:',
    '\u2215',
    ';',
  );
  const path = fc.oneof(
    fc.array(piece, { maxLength: 14 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  );

  it('is idempotent', () => {
    fc.assert(
      fc.property(path, (text) => {
        const once = normalizePath(text).normalized;
        expect(normalizePath(once).normalized).toBe(once);
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves no dot segment but a climb at the front of a relative path', () => {
    fc.assert(
      fc.property(path, (text) => {
        const segments = normalizePath(text).normalized.split('/');
        const firstName = segments.findIndex((segment) => segment !== '..' && segment !== '~' && !segment.startsWith('~'));
        if (firstName >= 0) expect(segments.slice(firstName + 1)).not.toContain('..');
      }),
    );
  });

  it('agrees with a dull reference on plain absolute paths', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', '.', '..', ''), { maxLength: 12 }), (segments) => {
        const stack: string[] = [];
        for (const segment of segments) {
          if (segment === '..') stack.pop();
          else if (segment !== '' && segment !== '.') stack.push(segment);
        }
        expect(normalizePath(`/${segments.join('/')}`).normalized).toBe(`/${stack.join('/')}`);
      }),
    );
  });

  it('reads a path of the longest length whole and says when it is longer', () => {
    const whole = `/${'a'.repeat(FACTS_LIMITS.pathCharsMax - 1)}`;
    expect(normalizePath(whole)).toMatchObject({ normalized: whole, cut: false });
    expect(normalizePath(`${whole}b`)).toMatchObject({ normalized: whole, cut: true });
  });
});

describe('readUrl', () => {
  it.each(vectorsOf('hosts.json') as readonly HostCase[])('$url', (expected) => {
    const read = readUrl(expected.url);
    expect({ host: read?.host, scheme: read?.scheme, port: read?.port, address: read?.address, oddities: read?.oddities }).toEqual({
      host: expected.host,
      scheme: expected.scheme,
      port: expected.port,
      address: expected.address,
      oddities: expected.oddities,
    });
    if (expected.shown !== undefined) expect(read?.url).toBe(expected.shown);
  });

  it.each((vectorsOf('hosts-invalid.json') as readonly string[]).map((text) => [text]))('refuses %j', (text) => {
    expect(readUrl(text)).toBeUndefined();
  });

  it('never throws and never shows userinfo', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.webUrl({ withQueryParameters: true }),
          fc.string().map((text) => `http://${text}`),
        ),
        (text) => {
          const read = readUrl(text);
          readAuthority(text);
          if (read?.url !== undefined) expect(new URL(read.url).username).toBe('');
        },
      ),
    );
  });

  it('agrees with the platform on web addresses', () => {
    fc.assert(
      fc.property(fc.webUrl(), (text) => {
        expect(readUrl(text)?.host).toBe(new URL(text).hostname.replace(/\.$/, ''));
      }),
    );
  });
});

describe('readAddress', () => {
  it('reads every spelling of an IPv4 address to the same text and class', () => {
    fc.assert(
      fc.property(fc.ipV4(), (dotted) => {
        const value = dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
        const octal = dotted
          .split('.')
          .map((part) => `0${Number(part).toString(8)}`)
          .join('.');
        const expected = readAddress(dotted);
        for (const spelling of [String(value), `0x${value.toString(16)}`, octal]) {
          expect(readAddress(spelling)).toEqual(expected);
        }
        expect(readAddress(`::ffff:${dotted}`)).toMatchObject({ kind: expected?.kind, mapped: true });
        expect(readAddress(`64:ff9b::${dotted}`)).toMatchObject({ kind: expected?.kind, mapped: true });
      }),
    );
  });

  it.each(['', '1.2.3.4.5', '1.2.3.x', 'localhost', ':', ':::', '1::2::3', '0xg', 'g::1', '1'.repeat(100)])('refuses %j', (text) => {
    expect(readAddress(text)).toBeUndefined();
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.stringMatching(/^[0-9a-fx:.%]{0,40}$/), (text) => void readAddress(text)));
  });
});

describe('readHost', () => {
  it('reads hosts with and without port, user and path', () => {
    expect(readAuthority('deploy@box.example.org:2222/x')).toMatchObject({ host: 'box.example.org', port: 2222, oddities: ['userinfo'] });
    expect(readAuthority('//box.example.org/x')).toMatchObject({ host: 'box.example.org' });
    expect(readAuthority('[::1]:80')).toMatchObject({ host: '::1', port: 80, address: 'loopback' });
    expect(readAuthority('box:65536')).not.toHaveProperty('port');
    expect(readAuthority('')).toBeUndefined();
    expect(readHost('[fe80::1%eth0]')).toMatchObject({ address: 'link-local' });
  });
});
