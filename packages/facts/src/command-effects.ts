/**
 * @module What a command brings about beyond the paths and hosts it names: rights gained, things that will run later, traces hidden. One
 * row for each command that is known for it; a row looks at names and options only.
 */
import type { CommandFact, EffectKind } from '@countersign/protocol';
import { wordSet } from './word-set.ts';

/** An effect before it is given its place in the action. */
export interface CommandEffect {
  readonly kind: EffectKind;
  readonly target: string;
  readonly place: string;
}

type Row = (command: CommandFact) => readonly CommandEffect[];

const NONE: readonly CommandEffect[] = [];
const ADMIN_GROUP = /(?:^|[,=])(?:sudo|wheel|admin|root|docker|lxd|adm|shadow|disk|domain admins|administrators)(?:,|$)/i;
const DEFENCE =
  /auditd?(?:$|[.-])|firewalld|\bufw\b|apparmor|selinux|fail2ban|crowd(?:sec|strike)|falcon|clam(?:av|d|onacc)|syslog|journald|osquery|wazuh|mdatp|falco\b|sysmon|ossec|\baide\b|carbonblack|cbdaemon|cbagent|cbdefense|sentinel(?:one|agent|d\b)|littlesnitch|opendns|umbrella|santa\b|defender|windefend|sophos|symantec|mcafee|trendmicro|kaspersky|eset|cylance|cortex|traps_|jamf|nessus|endpoint|antivirus|pfctl|^pf$|ipfw|iptables|nftables|blockblock|lulu\b/i;

function has(command: CommandFact, words: ReadonlySet<string>): boolean {
  return command.args.some((arg) => words.has(arg.toLowerCase()));
}

function operands(command: CommandFact): readonly string[] {
  return command.args.filter((arg) => !arg.startsWith('-'));
}

function one(kind: EffectKind, target: string | undefined, place: string): readonly CommandEffect[] {
  return target === undefined ? NONE : [{ kind, target, place }];
}

/** An effect on the last operand, where one of the options is there. */
function onLast(kind: EffectKind, place: string, when: (command: CommandFact) => boolean): Row {
  return (command) => (when(command) ? one(kind, operands(command).at(-1) ?? '', place) : NONE);
}

function always(kind: EffectKind, place: string): Row {
  return onLast(kind, place, () => true);
}

const OFF = wordSet('stop disable mask kill unload bootout off remove delete teardown --disable onestop forcestop');
const ON = wordSet('enable link reenable load bootstrap add defaults on submit start');

/** `systemctl stop auditd`, `service syslogd stop`, `launchctl unload .../com.vendor.plist`: stops a defence, or starts with the machine. */
function services(starts: ReadonlySet<string>): Row {
  return (command) => {
    if (has(command, OFF)) {
      const target = operands(command).find((arg) => DEFENCE.test(arg));
      return one('hides', target, 'defence');
    }
    return has(command, starts) ? one('persists', operands(command).at(-1), 'service-unit') : NONE;
  };
}

const SETUID = /^(?:[ugoa]{0,4}[+=][rwxXt]{0,4}s[rwxXst]{0,4}|0?[2-7][0-7]{3})$/;
const LISTS = wordSet('-l --list -v --help --version -h');
const ZERO_ID = /^(?:-u0|--uid=0)$/;
const MODULE_QUERY = wordSet('-n --dry-run --show-depends -l --list -c --showconfig -r --remove --version --help -D --show-config');

const WITH_PASSWORD = wordSet('--password -p');

function newAccount(command: CommandFact): readonly CommandEffect[] {
  const target = operands(command).at(-1) ?? '';
  const admin = command.args.some((arg, i) => ADMIN_GROUP.test(arg) && (command.args[i - 1] ?? '-').startsWith('-'));
  const root = command.args.some((arg, i) => ZERO_ID.test(arg) || (arg === '0' && /^(?:-u|--uid|-ou|-o)$/.test(command.args[i - 1] ?? '')));
  if (admin || root) return one('escalates', target, 'admin-account');
  return has(command, WITH_PASSWORD) ? one('persists', target, 'account') : NONE;
}

function packetWords(command: CommandFact): readonly CommandEffect[] {
  const { args } = command;
  const verb = command.name === 'pw' ? args.join(' ') : '';
  if (/^user(?:add|\s?mod)\b/.test(verb))
    return ADMIN_GROUP.test(args[args.indexOf('-g') + 1] ?? '') ? one('escalates', args[1], 'admin-account') : NONE;
  return NONE;
}

const HISTORY_OFF = /^(?:HIST(?:FILE=(?:\/dev\/null)?$|SIZE=0|FILESIZE=0|CONTROL=ignore|IGNORE=))/i;
const HISTORY_NAMES = wordSet('histfile histsize histfilesize prompt_command');

/** A name that is a builtin of the shell does nothing as a file on the path, and nothing that lasts in a shell of its own. */
function lasts(command: CommandFact): boolean {
  return command.program === '' && !command.subshell;
}

function historyVariable(command: CommandFact): readonly CommandEffect[] {
  const off = command.name === 'unset' ? has(command, HISTORY_NAMES) : command.args.some((arg) => HISTORY_OFF.test(arg));
  return off && lasts(command) ? [{ kind: 'hides', target: command.args.at(-1) ?? '', place: 'history' }] : NONE;
}

function setOption(command: CommandFact): readonly CommandEffect[] {
  const at = command.args.indexOf('+o');
  return at !== -1 && command.args[at + 1] === 'history' && lasts(command) ? one('hides', 'history', 'history') : NONE;
}

function timestamps(command: CommandFact): readonly CommandEffect[] {
  const at = command.args.findIndex((arg) => /^-(?:[acmfh]{0,4}[trd]|-reference.*|-date.*)$/.test(arg));
  return at === -1 ? NONE : one('hides', operands(command).at(-1), 'timestamp');
}

const RAMP = /^-?(?:--)?on-(?:calendar|active|boot|startup|unit-active)/;

/** `trap` on every command records or changes what is typed; on exit it only cleans up. */
function traps(command: CommandFact): readonly CommandEffect[] {
  return command.args.some((arg) => /^(?:debug|return|err)$/i.test(arg)) ? one('persists', command.args.at(-1), 'trap') : NONE;
}

function defaultsWrite(command: CommandFact): readonly CommandEffect[] {
  if (command.args[0] !== 'write') return NONE;
  const what = command.args.slice(1).find((arg) => /log(?:in|out)hook|autolaunchedapplicationdictionary|tallogoutsavesstate/i.test(arg));
  return one('persists', what, 'login');
}

const DEFENDER_OFF = /^(?:disabled?|off|false|0)$/i;

function defenceTool(command: CommandFact): readonly CommandEffect[] {
  return command.args.some((arg) => DEFENDER_OFF.test(arg) || OFF.has(arg.toLowerCase())) ? one('hides', command.name, 'defence') : NONE;
}

const FIREWALL_CHANGE = wordSet('-d --delete -f --flush -x --delete-chain -p --policy -a --append -i --insert -r --replace');
const NFT_CHANGE = wordSet('add insert replace delete destroy flush');
const PACKET_FILTER = onLast('hides', 'firewall', (command) =>
  FIREWALL_CHANGE.has(command.args.find((arg) => arg.startsWith('-') && !/^-[tw4]/.test(arg))?.toLowerCase() ?? ''),
);
const UFW_CHANGE = wordSet('disable reset delete logging default prepend insert deny reject route');

const ROWS: ReadonlyMap<string, Row> = new Map<string, Row>([
  ['chmod', onLast('escalates', 'setuid', ({ args }) => args.some((arg) => SETUID.test(arg)))],
  ['setcap', onLast('escalates', 'capability', ({ args }) => args.some((arg) => /cap_/i.test(arg)))],
  ['useradd', newAccount],
  ['adduser', newAccount],
  ['usermod', newAccount],
  ['gpasswd', newAccount],
  ['groupmems', newAccount],
  ['pw', packetWords],
  [
    'sysadminctl',
    onLast(
      'escalates',
      'admin-account',
      (command) => has(command, wordSet('-admin -adminuser')) && has(command, wordSet('-adduser -newpassword')),
    ),
  ],
  ['dsenableroot', onLast('escalates', 'admin-account', (command) => !has(command, wordSet('-d')))],
  ['insmod', always('escalates', 'kernel-module')],
  ['modprobe', onLast('escalates', 'kernel-module', (command) => command.args.length > 0 && !has(command, MODULE_QUERY))],
  ['kldload', always('escalates', 'kernel-module')],
  ['kextload', always('escalates', 'kernel-module')],
  ['kextutil', always('escalates', 'kernel-module')],
  ['crontab', onLast('persists', 'cron', (command) => !has(command, LISTS) && !has(command, wordSet('-r')))],
  ['at', onLast('persists', 'cron', ({ pipedFrom, args, redirects }) => pipedFrom >= 0 || args.includes('-f') || redirects.length > 0)],
  ['batch', onLast('persists', 'cron', ({ pipedFrom, redirects }) => pipedFrom >= 0 || redirects.length > 0)],
  ['systemd-run', onLast('persists', 'timer', ({ args }) => args.some((arg) => RAMP.test(arg)))],
  ['systemctl', services(wordSet('enable link reenable'))],
  ['service', services(wordSet('enable'))],
  ['rc-service', services(wordSet(''))],
  ['rc-update', services(wordSet('add'))],
  ['update-rc.d', services(wordSet('defaults enable'))],
  ['chkconfig', services(wordSet('on --add'))],
  ['launchctl', services(ON)],
  [
    'sysrc',
    (command) =>
      one(
        'hides',
        operands(command).find((arg) => /_enable="?no/i.test(arg) && DEFENCE.test(arg)),
        'defence',
      ),
  ],
  ['trap', traps],
  ['defaults', defaultsWrite],
  [
    'history',
    (command) => (lasts(command) && command.args.some((arg) => /^-[a-z]{0,3}[cd]/.test(arg)) ? one('hides', 'history', 'history') : NONE),
  ],
  ['unset', historyVariable],
  ['export', historyVariable],
  ['declare', historyVariable],
  ['typeset', historyVariable],
  ['set', setOption],
  ['touch', timestamps],
  ['setfile', onLast('hides', 'timestamp', (command) => has(command, wordSet('-m -d')))],
  [
    'xattr',
    onLast(
      'hides',
      'quarantine',
      ({ args }) =>
        args.some((arg) => /^-[a-z]{0,3}[dc]/.test(arg)) && args.some((arg) => /quarantine/.test(arg) || /^-[a-z]{0,2}c/.test(arg)),
    ),
  ],
  ['chattr', onLast('hides', 'immutable', ({ args }) => args.some((arg) => /^[+-][a-z]{0,4}[ia]/.test(arg)))],
  [
    'chflags',
    onLast('hides', 'immutable', ({ args }) =>
      args.some((arg) => /^(?:no)?(?:s|u|sys|user)?(?:immutable|immut|chg|change|append|appnd|hidden)$/i.test(arg)),
    ),
  ],
  ['auditctl', onLast('hides', 'defence', ({ args }) => args.includes('-D') || /-e ?0/.test(args.join(' ')))],
  ['mdatp', defenceTool],
  ['spctl', onLast('hides', 'defence', (command) => has(command, wordSet('--master-disable --global-disable --add --disable')))],
  ['csrutil', defenceTool],
  ['setenforce', defenceTool],
  ['aa-disable', always('hides', 'defence')],
  ['aa-complain', always('hides', 'defence')],
  ['aa-teardown', always('hides', 'defence')],
  ['ufw', onLast('hides', 'firewall', (command) => UFW_CHANGE.has(command.args.find((arg) => !arg.startsWith('-'))?.toLowerCase() ?? ''))],
  ['iptables', PACKET_FILTER],
  ['ip6tables', PACKET_FILTER],
  ['ebtables', PACKET_FILTER],
  ['nft', onLast('hides', 'firewall', ({ args }) => NFT_CHANGE.has(args.find((arg) => !arg.startsWith('-'))?.toLowerCase() ?? ''))],
  ['firewall-cmd', onLast('hides', 'firewall', ({ args }) => args.some((arg) => /^--(?:add|remove|set|panic|change|direct)/.test(arg)))],
  ['pfctl', onLast('hides', 'firewall', ({ args }) => args.some((arg) => /^-(?:d|F|f)$/.test(arg)))],
]);

/** What one command brings about, apart from its paths and hosts. */
export function commandEffects(command: CommandFact): readonly CommandEffect[] {
  return ROWS.get(command.name)?.(command) ?? NONE;
}
