/** @module Hosts of commands: URLs in arguments, bare hosts where a network client takes one, and `/dev/tcp`. */
import type { CommandFact } from '@countersign/protocol';
import { addHost, schemeStart, type HostFinder, type HostPlace } from './hosts.ts';
import { readAuthority, readUrl } from './read-host.ts';
import { wordSet } from './word-set.ts';

/** Commands that go to each bare argument, to the first, or to `user@host:path`. */
const EVERY_ARGUMENT: ReadonlySet<string> = wordSet('curl wget http https aria2c lynx links w3m xh');
const FIRST_ARGUMENT: ReadonlySet<string> = wordSet(
  'nc ncat netcat telnet ping ping6 traceroute tracepath mtr ftp tftp sftp ssh mosh nmap masscan whois dig nslookup host',
  'drill openssl',
);
const REMOTE_COPY: ReadonlySet<string> = wordSet('scp rsync git');
const HOST_OPTION: ReadonlySet<string> = wordSet('-h --host --hostname -connect --proxy -x --server');
const OTHER_CLIENTS: ReadonlySet<string> = wordSet(
  'psql mysql redis-cli mongo mongosh pip pip3 npm go cargo docker kubectl aws gcloud socat smbclient ldapsearch iwr',
  'invoke-webrequest irm',
);

function isClient(name: string): boolean {
  return EVERY_ARGUMENT.has(name) || FIRST_ARGUMENT.has(name) || REMOTE_COPY.has(name) || OTHER_CLIENTS.has(name);
}

/** Options of the above that take a value that is no host. */
const VALUE_OPTION =
  /^-(?:[oHXdFuAbceTmKrtpwiLRDlJSEqIP]|-(?:output|header|data|data-raw|data-binary|data-urlencode|request|form|user|user-agent|cookie|max-time|cacert|cert|key|method|body|post-data|post-file|output-document))$/;
const DEV_TCP = /\/dev\/(?:tcp|udp)\/([^/\s]{1,255})\/([0-9]{1,5})/;
const HOST_SHAPE =
  /^(?:[^@\s/:]{1,64}@)?(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)+\.?|localhost|\[[0-9a-f:.%]+\]|0x[0-9a-f]+|\d{8,10})(?::\d{1,5})?(?:[/?#]|$)/i;
const REMOTE_SHAPE = /^(?:[^@\s/:]{1,64}@)?([a-z0-9_.-]{1,255}|\[[0-9a-f:.]+\]):(?!\/\/)/i;
const ARG_CHARS_MAX = 2048;

function commandUrl(finder: HostFinder, arg: string, place: Omit<HostPlace, 'raw'>): boolean {
  const colon = arg.indexOf('://');
  if (colon < 0) return false;
  const start = schemeStart(arg.toLowerCase(), colon);
  const raw = arg.slice(start);
  const found = start < colon ? readUrl(raw) : undefined;
  if (found !== undefined) addHost(finder, found, { ...place, raw });
  return true;
}

interface ArgumentReader {
  readonly finder: HostFinder;
  readonly name: string;
  readonly place: Omit<HostPlace, 'raw'>;
  done: boolean;
}

/** The host an argument of a client names, as it is written, or undefined. */
function hostText(reader: ArgumentReader, arg: string, previous: string): string | undefined {
  const { name } = reader;
  const host = HOST_SHAPE.test(arg);
  if (HOST_OPTION.has(previous)) return host ? arg : undefined;
  if (/^[-+]/.test(arg) || VALUE_OPTION.test(previous)) return undefined;
  if (REMOTE_COPY.has(name)) return REMOTE_SHAPE.test(arg) ? arg.replace(/:.*$/s, '') : undefined;
  if (FIRST_ARGUMENT.has(name) && !reader.done) return firstHost(name, arg);
  return host && EVERY_ARGUMENT.has(name) ? arg : undefined;
}

/** Any first word is a host to `ssh`, an alias even; `dig` takes `@server`. */
function firstHost(name: string, arg: string): string | undefined {
  const server = arg.startsWith('@') ? arg.slice(1) : arg;
  return name === 'ssh' || HOST_SHAPE.test(server) ? server : undefined;
}

function readBareArgument(reader: ArgumentReader, arg: string, previous: string): void {
  const text = hostText(reader, arg, previous);
  if (text === undefined) return;
  const found = readAuthority(text);
  if (found === undefined) return;
  addHost(reader.finder, found, { ...reader.place, raw: text });
  if (FIRST_ARGUMENT.has(reader.name)) reader.done = true;
}

/** Hosts in the arguments and redirects of one command. */
export function addCommandHosts(finder: HostFinder, command: CommandFact, index: number): void {
  const client = isClient(command.name);
  const access = client ? 'connect' : 'mention';
  const reader: ArgumentReader = { finder, name: command.name, place: { span: command.span, access, command: index }, done: false };
  let previous = '';
  for (const whole of command.args) {
    const arg = whole.slice(0, ARG_CHARS_MAX);
    finder.meter.steps += arg.length;
    addDevTcp(finder, arg, reader.place);
    if (!commandUrl(finder, arg, reader.place) && client) readBareArgument(reader, arg, previous);
    previous = whole;
  }
  for (const redirect of command.redirects) addDevTcp(finder, redirect.target.slice(0, ARG_CHARS_MAX), reader.place);
}

function addDevTcp(finder: HostFinder, text: string, place: Omit<HostPlace, 'raw'>): void {
  const found = text.includes('/dev/') ? DEV_TCP.exec(text) : null;
  if (found === null) return;
  const read = readAuthority(`${found[1] ?? ''}:${found[2] ?? ''}`);
  if (read !== undefined) addHost(finder, read, { ...place, access: 'connect', raw: found[0] });
}
