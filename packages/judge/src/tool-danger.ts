/** @module D1, the danger of a tool: by what it does where that is known, by its name where only that is known. */
import type { Action, Facts } from '@countersign/protocol';
import { isShell } from './command-danger.ts';
import type { Dimension } from './scores.ts';

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}

const READERS = words('read list list_dir list_files search grep glob find cat head tail view get stat tree ls diff describe lookup');
const WRITERS = words('write edit create create_file edit_file write_file update append patch apply_patch');
/** Programs that somebody made a tool of: whoever holds one can do to the machine what the program can. */
const DANGEROUS = words(
  'bash sh zsh ksh dash shell powershell pwsh cmd exec eval system popen spawn sudo su pkexec doas runas chmod chown chgrp mount umount kill pkill killall taskkill launchctl pmset diskutil dscl security codesign wmic reg regedit schtasks at netsh sc icacls takeown cipher diskpart msiexec rundll32 nc ncat netcat socat telnet ssh ftp cron crontab systemctl iptables dd mkfs',
);

const BY_KIND: ReadonlyMap<string, number> = new Map([
  ['file.read', 0],
  ['file.write', 1],
  ['file.patch', 1],
  ['net.egress', 2],
  ['secret.access', 2],
  ['agent.delegate', 2],
  // What is only said is no tool.
  ['prompt.input', 0],
  ['model.output', 0],
  ['tool.response', 0],
  ['agent.message', 0],
]);

const LOOKS: ReadonlySet<string> = new Set(['select', 'explain', 'transaction', 'set']);

function databaseDanger({ statements }: Facts): number {
  return statements.length > 0 && statements.every(({ kind }) => LOOKS.has(kind)) ? 1 : 2;
}

function nameDanger(tool: string): number {
  const lower = tool.toLowerCase();
  const last = lower.slice(lower.lastIndexOf('.') + 1);
  for (const name of [lower, last]) {
    if (DANGEROUS.has(name)) return 3;
    if (READERS.has(name)) return 0;
    if (WRITERS.has(name)) return 1;
  }
  return 2;
}

/** D1. `grave`: what it is about to do to the machine is as bad as its tool allows. */
export function toolDanger(action: Action, facts: Facts, grave: boolean): Dimension {
  const { kind, tool = '' } = action;
  const known = (value: number): Dimension => ({ value, missing: false });
  if (isShell(action, facts)) return known(grave ? 3 : 2);
  if (kind === 'db.query') return known(databaseDanger(facts));
  const byKind = BY_KIND.get(kind);
  if (byKind !== undefined) return known(byKind);
  return tool === '' ? { value: 2, missing: true } : known(nameDanger(tool));
}
