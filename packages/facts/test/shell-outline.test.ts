/** Where the words of a shell text stand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellOutline } from '../src/index.ts';
import { SHELL_LIMITS } from '../src/shell-limits.ts';

function shown(
  text: string,
): readonly { readonly list: number; readonly words: readonly string[]; readonly redirects: readonly string[] }[] {
  const at = ({ start, end }: { readonly start: number; readonly end: number }): string => text.slice(start, end);
  return shellOutline(text).map(({ list, words, redirects }) => ({ list, words: words.map(at), redirects: redirects.map(at) }));
}

describe('VER-061 the outline of a shell text', () => {
  it('gives words and redirections of each command, commands that follow each other in one list', () => {
    expect(shown("sudo rm -rf 'a' && echo hi > out 2>&1 | wc")).toEqual([
      { list: 0, words: ['sudo', 'rm', '-rf', "'a'"], redirects: [] },
      { list: 0, words: ['echo', 'hi'], redirects: ['> out', '>&1'] },
      { list: 0, words: ['wc'], redirects: [] },
    ]);
  });

  it('reads what stands in quotes as a list of its own, and groups and loops', () => {
    expect(
      shown("bash -c 'cd x && ls'; (cd a; ls); for i in 1 2; do rm $i; done").map(({ list, words }) => [list, words.join(' ')]),
    ).toEqual([
      [0, "bash -c 'cd x && ls'"],
      [1, 'cd x'],
      [1, 'ls'],
      [2, 'cd a'],
      [2, 'ls'],
      [3, 'rm $i'],
    ]);
  });

  it('reads a text of the longest length, and none of a longer one', () => {
    const long = `ls ${'a'.repeat(SHELL_LIMITS.textCharsMax - 3)}`;
    expect(shellOutline(long)).toHaveLength(1);
    expect(shellOutline(`${long}a`)).toEqual([]);
  });

  it('names as many commands as the reader does, and no more', () => {
    expect(shellOutline('a;'.repeat(SHELL_LIMITS.commandsMax))).toHaveLength(SHELL_LIMITS.commandsMax);
    expect(shellOutline('a;'.repeat(SHELL_LIMITS.commandsMax + 1))).toHaveLength(SHELL_LIMITS.commandsMax);
  });

  it('is total, and every piece lies in the text', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', '-', '/', '|', '&', ';', '<', '>', '(', ')', '{', '}', "'", '"', '`', '$', '\\', '\n', '#', '='),
      maxLength: 200,
    });
    fc.assert(
      fc.property(text, (input) => {
        for (const { words, redirects, ...command } of shellOutline(input))
          for (const piece of [command, ...words, ...redirects]) {
            expect(piece.start).toBeGreaterThanOrEqual(0);
            expect(piece.end).toBeLessThanOrEqual(input.length);
            expect(piece.start).toBeLessThanOrEqual(piece.end);
          }
      }),
      { numRuns: 500 },
    );
  });
});
