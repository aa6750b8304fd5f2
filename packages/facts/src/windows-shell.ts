/** @module Which texts are read as `cmd` or PowerShell too, and what those dialects start: `powershell -EncodedCommand`, `cmd /c`, `iex`. */
import { decodeEncodedCommand } from './shell-output.ts';
import { commandName, type Field } from './shell-state.ts';
import { readCmd } from './windows-cmd.ts';
import { readPowerShell } from './windows-powershell.ts';
import type { WindowsBuilder, WindowsDialect } from './windows-words.ts';

const POWERSHELL =
  /\b(?:add|clear|compress|connect|convertfrom|convertto|copy|disable|enable|enter|expand|export|find|foreach|format|get|import|install|invoke|join|measure|move|new|out|read|register|remove|rename|restart|resume|save|select|send|set|start|stop|suspend|test|uninstall|unregister|update|where|write)-[a-z]{2,40}\b|\$env:[a-z]|\[[a-z][\w.]{2,60}\]::|(?:^|[\s;|({&])(?:iex|iwr|irm|icm|sal|gwmi|iwmi)\s|\$[a-z]\w{0,31}\s?=\s|(?:^|[\s;|&])(?:powershell|pwsh)(?:\.exe)?\s/i;
const CMD =
  /(?:^|[\s;|&("@])(?:reg|net1?|sc|wmic|schtasks|vssadmin|wevtutil|bcdedit|certutil|bitsadmin|mshta|regsvr32|rundll32|msiexec|cscript|wscript|netsh|icacls|takeown|attrib|tasklist|taskkill|wbadmin|fsutil|cipher|reagentc|sdelete|mavinject|odbcconf|cmstp|installutil|msbuild|forfiles|pcalua|esentutl|ntdsutil|nltest|dsquery|psexec|procdump|cmdkey|runas|rmdir|rd|del|erase|xcopy|robocopy|format|cmd)(?:\.exe)?\s|%[a-z_]{2,32}%|\b[a-z]:\\|\.(?:exe|dll|bat|cmd|ps1|vbs|hta|sct)\b|(?:^|[\s;|&])[a-z]{1,16}\^[a-z]/i;

/** The dialects a text may be written in besides that of a Unix shell. Reading one more never takes anything away. */
export function windowsDialects(text: string): readonly WindowsDialect[] {
  const dialects: WindowsDialect[] = [];
  if (POWERSHELL.test(text)) dialects.push('powershell');
  if (CMD.test(text)) dialects.push('cmd');
  return dialects;
}

export function readWindows(text: string, dialect: WindowsDialect): WindowsBuilder {
  return dialect === 'cmd' ? readCmd(text) : readPowerShell(text);
}

/** A text that a command gives to a Windows shell. */
export interface WindowsText {
  readonly text: string;
  readonly label: string;
  readonly dialect: WindowsDialect;
}

function words(fields: readonly Field[]): string {
  return fields.map((field) => field.text).join(' ');
}

const BASE64 = /^[A-Za-z0-9+/]{4,}={0,2}$/;
const ENCODED = /^[-/]e(?:nc?|ncodedcommand|nco|ncod|ncode|ncoded)?c?$/i;
/** A script is a file to run, and no text to read. */
const FILE = /^(?:[-/]f(?:ile)?|.{1,4096}\.ps1)$/i;
const COMMAND = /^[-/]c(?:o|om|omm|omma|omman|ommand)?$/i;
const TAKES_VALUE =
  /^[-/](?:ex|exec|executionpolicy|ep|w|win|windowstyle|version|v|psconsolefile|inputformat|outputformat|configurationname|workingdirectory|wd)$/i;

function encodedText(encoded: string): WindowsText | undefined {
  return BASE64.test(encoded) ? { text: decodeEncodedCommand(encoded), label: 'powershell -enc', dialect: 'powershell' } : undefined;
}

function plainText(fields: readonly Field[]): WindowsText {
  return { text: words(fields), label: 'powershell -c', dialect: 'powershell' };
}

function powershellText(fields: readonly Field[]): WindowsText | undefined {
  for (let i = 1; i < fields.length; i += 1) {
    const word = fields[i]?.text ?? '';
    if (ENCODED.test(word)) return encodedText(fields[i + 1]?.text ?? '');
    if (COMMAND.test(word)) return plainText(fields.slice(i + 1));
    if (FILE.test(word)) return undefined;
    if (TAKES_VALUE.test(word)) i += 1;
    else if (!/^[-/]/.test(word)) return plainText(fields.slice(i));
  }
  return undefined;
}

/** The text that `cmd /c`, `powershell -c`, `powershell -enc` or `iex` run, when it is given as text. */
export function windowsText(fields: readonly Field[]): WindowsText | undefined {
  const name = commandName(fields[0]);
  if (name === 'powershell' || name === 'pwsh') return powershellText(fields);
  if (name === 'cmd') {
    const at = fields.findIndex((field) => /^\/{1,2}[ckr]$/i.test(field.text));
    return at === -1 || at + 1 >= fields.length ? undefined : { text: words(fields.slice(at + 1)), label: 'cmd /c', dialect: 'cmd' };
  }
  if (name !== 'iex' && name !== 'invoke-expression') return undefined;
  const body = fields.slice(1).filter((field) => !/^-command$/i.test(field.text));
  return body.length === 0 || body.some((field) => field.dynamic || field.text.startsWith('.'))
    ? undefined
    : { text: words(body), label: name, dialect: 'powershell' };
}
