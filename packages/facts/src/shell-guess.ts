/** @module Whether a text that is not known to be shell reads like it: cheap, one bounded look at each place where a command could start. */

/** Names that are hardly words of a sentence. */
const DISTINCT: ReadonlySet<string> = new Set(
  (
    'ls rm cp mv chmod chown chgrp mkdir rmdir ln dd curl wget nc ncat netcat socat ssh scp sftp rsync telnet nmap bash sh zsh dash ksh ash ' +
    'sudo su doas whoami uname ifconfig ipconfig ip netstat ss ps pwd grep egrep fgrep sed awk gawk xargs tee tar gzip gunzip unzip base64 xxd od ' +
    'python python2 python3 perl ruby node npm npx pip pip3 php lua git docker podman kubectl helm terraform aws gcloud az systemctl journalctl ' +
    'crontab mkfs fdisk mount umount useradd usermod userdel passwd visudo iptables nft ufw insmod modprobe chattr setfacl strace gdb openssl gpg ' +
    'printenv nslookup ping traceroute tcpdump powershell pwsh certutil bitsadmin mysql mysqldump psql sqlite3 mongo redis-cli apt apt-get yum dnf ' +
    'apk brew pkill killall shutdown reboot nohup busybox chroot tmux eval printf touch stat xmllint jq sha256sum md5sum shred wipefs lsblk lsof ' +
    'dmesg hostnamectl getent tac nl rev strings hexdump cmd regsvr32 mshta wmic reg schtasks cargo rustc gcc javac mvn gradle yarn pnpm deno bun ' +
    'ansible ansible-playbook ansible-vault ansible-galaxy iwr iex invoke-webrequest invoke-expression irm htop lastlog lastb flock irb regedit bcdboot ' +
    'aa-disable aa-complain aa-teardown setenforce auditctl msiexec rundll32 net1 vssadmin bcdedit icacls takeown tasklist taskkill nsenter unshare setsid crictl ctr gdbserver rlwrap tftp ftp'
  ).split(' '),
);
/** Names that are also words of a sentence: they need something behind them that is not a word. */
const WORDY: ReadonlySet<string> = new Set(
  (
    'cat find make time echo at more less who date sort test open kill top last watch which cut join split head tail read wait type set man host ' +
    'nice yes file look dig nano id env vi vim ed w exec source export alias history export screen cd df du free timeout command go dir del copy ' +
    'install service halt net user users groups finger write wall info uniq diff patch comm expand sleep true false unset trap dpkg locate ' +
    'uptime hostname exit arch groups rpm'
  ).split(' '),
);
/** Of the distinct names, those that sentences mention as things: at the start of a text they need more than a word behind them. */
const THINGS: ReadonlySet<string> = new Set(
  'bash zsh sh ash dash ksh fish python python2 python3 ruby node perl lua php yarn bun tar reg strings cargo mongo az cmd rev touch'.split(
    ' ',
  ),
);
/** Run what follows. */
const CARRIERS: ReadonlySet<string> = new Set('time env exec command timeout nice yes'.split(' '));
const PLACE = /(^|\n|&&|\|\||[;&|`({]|\$\()([^\S\n]{0,8})([^\s;&|()<>`]{1,64})(?:([^\S\n]{1,4})([^\s;&|`)]{1,64}))?/g;
const STRONG =
  /\/dev\/(?:tcp|udp)\/|\$\{?IFS\b|\$\{?SHELL\b|^[a-z]{0,8}\{,?[a-z]{1,16}(?:,[-\w/.]{0,32}){1,8}\}[a-z]{0,8}$|\$\((?:\s|[a-z]{2,16}\s)|<\(\s{0,4}[a-z]|\b(?:ba|z|k|da)?sh\s{1,4}-i\b/;
const ARGUMENT = /^(?:-|\/|\.{1,2}(?:\/|$)|~|\$|['"]|[<>]|\*|%)|[/=\\]|\.[a-z0-9]{1,5}$/;
const PROGRAM_PATH = /^(?:\/(?:usr\/(?:local\/)?)?s?bin\/[a-z[?*]|\.\/[a-z0-9_.-]+(?:\.sh)?$)/;

/** Nothing that quotes, parameters or a folder leave behind of a word with one of these is a name. */
const IN_NO_NAME = /[:,=#%!?^~[\]{}]/;
const PLAIN_NAME = /^[a-z0-9._+-]*$/;

function bareName(word: string): string {
  if (PLAIN_NAME.test(word)) return word;
  if (IN_NO_NAME.test(word) && !word.includes('/') && !word.includes('IFS')) return '';
  const bare = word.replaceAll(/\$[@*0-9]|['"\\]|\$\{?IFS\}?.*/g, '').toLowerCase();
  return bare.slice(bare.lastIndexOf('/') + 1);
}

interface Place {
  readonly name: string;
  readonly argument: string;
  /** Character behind it all. */
  readonly next: string;
  /** Behind an operator, rather than at the start of a line. */
  readonly inner: boolean;
}

/** A name that is no word of a sentence runs, unless what follows reads like one. */
function runsDistinct({ name, argument, next, inner }: Place): boolean {
  if (!inner && THINGS.has(name)) return argument === '' || ARGUMENT.test(argument) || '|;&><'.includes(next);
  return inner || argument === '' || ARGUMENT.test(argument) || '|;&><'.includes(next) || /^[a-z0-9-]{2,24}$/.test(argument);
}

function runsWordy({ name, argument, next, inner }: Place): boolean {
  if (CARRIERS.has(name) && DISTINCT.has(bareName(argument))) return true;
  return ARGUMENT.test(argument) || (inner && (argument === '' || (next !== '' && '|;&)`'.includes(next))));
}

/** Any word right behind an operator with an option behind it, or behind an operator that opens the text. */
function isInjected(found: RegExpExecArray, { name, argument, inner }: Place): boolean {
  if (!inner || found[1] === '(' || found[1] === '{' || !/^[a-z][a-z0-9_.+-]{1,24}$/.test(name)) return false;
  return (
    /^--?[a-z]/.test(argument) || (found.index === 0 && found[2] === '' && argument === '' && /^[a-z0-9_.+-]{2,9}$/.test(found[3] ?? ''))
  );
}

function isCommandAt(found: RegExpExecArray, text: string): boolean {
  const [whole, opener = '', , word = '', , argument = ''] = found;
  const name = bareName(word);
  const place: Place = { name, argument, next: text[found.index + whole.length] ?? ' ', inner: opener !== '' && opener !== '\n' };
  if (PROGRAM_PATH.test(word) || isInjected(found, place)) return true;
  return DISTINCT.has(name) ? runsDistinct(place) : WORDY.has(name) && runsWordy(place);
}

/** Without one of these a command can only stand at the start. */
const OPERATOR = /[\n;&|`({$<]|\/dev\/|sh\s/;

/** True when a text holds something that could run as a shell command. Linear; false for plain sentences. */
export function looksLikeShell(text: string): boolean {
  const atStart = !OPERATOR.test(text);
  if (!atStart && STRONG.test(text)) return true;
  PLACE.lastIndex = 0;
  for (let found = PLACE.exec(text); found !== null; found = PLACE.exec(text)) {
    if (isCommandAt(found, text)) return true;
    if (atStart) return false;
    // The next place may be right behind the word, inside what this match took as its argument.
    PLACE.lastIndex = found.index + Math.max((found[1] ?? '').length, 1);
  }
  return false;
}
