/** @module One policy bomb in a process of its own: how long it took to end, and how much memory was used beyond what was there. */
import { readFileSync, writeFileSync } from 'node:fs';
import { compilePolicy, loadAncestors, parsePolicy, type PolicyFault, resolvePolicy } from '@countersign/policy';
import { POLICY_BOMBS, type PolicyBomb, sourcesOf } from './policy-bombs.ts';

export interface BombReport {
  /** CPU milliseconds from the text to its faults, or to a policy that is ready, the collector's on other threads included: a busy machine does not count. */
  readonly ms: number;
  /** Bytes resident at the highest, beyond those at the start. */
  readonly addedBytes: number;
  /** `loaded`, or the code of the first fault. */
  readonly end: string;
}

const KIB = 1024;

/** The highest resident size of this process since `forgetPeak`, in bytes. */
function peakBytes(): number {
  try {
    const found = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return found === undefined ? process.resourceUsage().maxRSS * KIB : Number(found) * KIB;
  } catch {
    return process.resourceUsage().maxRSS * KIB;
  }
}

/** What was used while the modules were read is not the bomb's. Where the kernel does not forget, the figure is only smaller. */
function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    return;
  }
}

async function explode(text: string, bomb: PolicyBomb): Promise<readonly PolicyFault[]> {
  const document = parsePolicy(text, 'bomb.yaml');
  if (!document.ok) return document.error;
  const ancestors = await loadAncestors(document.value, {
    ruleset: async () => Promise.resolve(undefined),
    sources: sourcesOf(bomb),
  });
  if (!ancestors.ok) return ancestors.error;
  const resolved = resolvePolicy(document.value, { rulesets: new Map(), hostSets: new Map(), ancestors: ancestors.value });
  if (!resolved.ok) return resolved.error;
  const compiled = compilePolicy(resolved.value);
  return compiled.ok ? [] : compiled.error;
}

const NOTHING: PolicyBomb = { ends: 'loaded', text: () => '' };

async function measure(bomb: PolicyBomb): Promise<BombReport> {
  // A plain policy first: what every policy costs is not the bomb's.
  await explode('version: "1.5.0"\nguards: {mcp_tool: {block: [x]}}\n', NOTHING);
  const text = bomb.text();
  forgetPeak();
  const [startBytes, before] = [process.memoryUsage.rss(), process.cpuUsage()];
  const [fault] = await explode(text, bomb);
  const { user, system } = process.cpuUsage(before);
  const ms = (user + system) / 1000;
  return { ms, addedBytes: Math.max(0, peakBytes() - startBytes), end: fault?.code ?? 'loaded' };
}

const bomb = POLICY_BOMBS[process.argv[2] ?? ''];
if (bomb === undefined) process.exitCode = 5;
else process.stdout.write(`${JSON.stringify(await measure(bomb))}\n`);
