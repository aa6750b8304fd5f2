import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readLandings } from '../src/sql-fragment.ts';
import { mayLand } from '../src/sql-signs.ts';

/** What fragments are made of, and what sentences are made of. */
const PARTS = [
  ...'or and || && xor having where div mod rlike regexp like between in is not | & ^ = <> < > ! ~ == <=>'.split(' '),
  ...'select update set from union all order group by limit procedure analyse into outfile dumpfile exec case when then'.split(' '),
  ...'true false null exists sleep benchmark waitfor delay load_file information_schema xp_cmdshell pg_sleep current_user'.split(' '),
  ...'1 0x61 0xf 1d 0 12 a b that the order1 @@version @x :name ? t.c [a] $$a$$ $1 , . : :: := # -- /* */ ( ) ; \' " `'.split(' '),
  ...'program database data attach load utl_inaddr.get xmltype openrowset'.split(' '),
];

describe('texts that no query could take for a part of itself', () => {
  it('never keeps a fragment from being read', () => {
    const text = fc.array(fc.tuple(fc.constantFrom(...PARTS), fc.constantFrom(' ', '', '\n', '\t')), { minLength: 1, maxLength: 9 });
    let fragments = 0;
    fc.assert(
      fc.property(text, (parts) => {
        const written = parts.map(([part, gap]) => part + gap).join('');
        if (readLandings(written).fragment === undefined) return;
        fragments += 1;
        expect(mayLand(written.toLowerCase()), written).toBe(true);
      }),
      { numRuns: 20_000, seed: 41 },
    );
    expect(fragments).toBeGreaterThan(500);
  });

  it('passes over ordinary values', () => {
    for (const value of [
      'customer-17',
      '2026-11-02',
      'tier-1 and up',
      'send it to 3 people or more, next week',
      'a/b/c-1.tar.gz',
      'x & y | z',
    ]) {
      expect(mayLand(value), value).toBe(false);
    }
  });
});
