/** @module What guards leave open: SEC codes and ours. Looks at the resolved policy, and points at the document. */
import { GUARD_NAMES } from '../content.ts';
import { compileHostGlob, compilePathGlob, type Glob, matchGlob, type StepCounter } from '../glob.ts';
import { isThreatIntel } from '../guards/custom-guards-config.ts';
import { removalOf, writtenList } from './lint-lists.ts';
import type { LintFix, LintReport } from './lint-report.ts';

const CATCH_ALL: ReadonlySet<string> = new Set(['*', '**', '**/*', '/**', '**/**']);

/** Hosts that nobody allows on purpose by a pattern: the machine itself, and what hands out its credentials. */
const OWN_HOSTS = ['localhost', '127.0.0.1', '169.254.169.254', 'metadata.google.internal'] as const;
const TOP_LEVEL = /^\*\.[a-z0-9-]+$/i;

function hostGlob(pattern: string): Glob | undefined {
  const glob = compileHostGlob(pattern);
  return glob.ok ? glob.value : undefined;
}

function indexesIn(items: readonly string[], wanted: (item: string) => boolean): readonly number[] {
  return [...items.keys()].filter((i) => wanted(items[i] ?? ''));
}

function lintAllowedHost(report: LintReport, pattern: string, path: string): void {
  const counter: StepCounter = { steps: 0 };
  const glob = hostGlob(pattern);
  if (glob === undefined || !/[*?{]/.test(pattern)) return;
  const own = OWN_HOSTS.find((host) => matchGlob(glob, host, counter));
  if (own !== undefined) report.say('CS012', `the pattern covers ${own}`, { path });
  if (TOP_LEVEL.test(pattern)) report.say('CS013', 'the pattern covers every name below a top-level domain', { path });
}

const ALLOW = 'guards.egress_allowlist.allow';

/** `*` in an allow list, where the document has it or what it extends. */
function lintStar(report: LintReport, code: string, path: string): void {
  const at = writtenList(report, path).indexOf('*');
  const place = at === -1 ? { path } : { path: `${path}[${String(at)}]`, fix: removalOf(report, path, [at]) };
  report.say(code, 'the allow list holds `*`', place);
}

/** Entries that allow nothing, because a block covers them. */
function lintBlocked(report: LintReport, block: readonly string[]): void {
  const written = writtenList(report, ALLOW);
  const blocked = new Set(block);
  for (const i of indexesIn(written, (host) => blocked.has(host)))
    report.say('SEC002', 'the host is on the block list too', { path: `${ALLOW}[${String(i)}]`, fix: removalOf(report, ALLOW, [i]) });
  const globs = block.map(hostGlob).filter((glob) => glob !== undefined);
  const counter: StepCounter = { steps: 0 };
  const covered = (host: string): boolean => globs.some((glob) => matchGlob(glob, host.toLowerCase(), counter));
  for (const i of indexesIn(written, (host) => !blocked.has(host) && !/[*?{@]/.test(host) && covered(host))) {
    const place = { path: `${ALLOW}[${String(i)}]`, fix: removalOf(report, ALLOW, [i]) };
    report.say('CS014', 'a pattern of the block list covers the host', place);
  }
}

function lintEgress(report: LintReport): void {
  const { egress_allowlist: egress } = report.input.resolved.guards;
  if (!egress.enabled) return;
  if (egress.allow.includes('*')) lintStar(report, 'SEC001', ALLOW);
  lintBlocked(report, egress.block);
  for (const [i, host] of writtenList(report, ALLOW).entries()) if (host !== '*') lintAllowedHost(report, host, `${ALLOW}[${String(i)}]`);
  if (egress.default_action !== 'block' && !egress.allow.includes('*'))
    report.say('CS002', `hosts on no list get \`${egress.default_action}\``, { path: 'guards.egress_allowlist.default_action' });
}

function lintPaths(report: LintReport): void {
  const { forbidden_path: forbidden, path_allowlist: paths, secret_leak: secrets } = report.input.resolved.guards;
  if (forbidden.enabled && forbidden.patterns.some((pattern) => CATCH_ALL.has(pattern)))
    report.say('SEC010', 'a pattern that everything matches', { path: 'guards.forbidden_path.patterns' });
  for (const i of indexesIn(writtenList(report, 'guards.forbidden_path.exceptions'), (pattern) => CATCH_ALL.has(pattern)))
    report.say('CS010', 'an exception that everything matches', { path: `guards.forbidden_path.exceptions[${String(i)}]` });
  for (const i of indexesIn(writtenList(report, 'guards.secret_leak.skip_paths'), (pattern) => secrets.enabled && CATCH_ALL.has(pattern)))
    report.say('CS011', 'a skipped path that everything matches', { path: `guards.secret_leak.skip_paths[${String(i)}]` });
  const empty = paths.file_access_allow.length + paths.file_write_allow.length + paths.patch_allow.length === 0;
  if (paths.enabled && empty) report.say('SEC050', 'the guard is on and all of its lists are empty', { path: 'guards.path_allowlist' });
}

function lintTools(report: LintReport): void {
  const { mcp_tool: tools } = report.input.resolved.guards;
  if (!tools.enabled) return;
  const path = 'guards.mcp_tool.allow';
  const written = writtenList(report, path);
  if (tools.allow.includes('*')) lintStar(report, 'SEC031', path);
  const blocked = new Set(tools.block);
  for (const i of indexesIn(written, (tool) => blocked.has(tool)))
    report.say('CS021', 'the tool is on the block list too', { path: `${path}[${String(i)}]`, fix: removalOf(report, path, [i]) });
}

/** `enabled: false` made `true`, where it stands so. */
function switchOn(report: LintReport, guard: string): LintFix | undefined {
  const key = report.input.document.positions.get(`guards.${guard}.enabled`);
  if (key === undefined) return undefined;
  const value = /^\s*:\s*false\b/.exec(report.input.text.slice(key.end, key.end + 64));
  if (value === null) return undefined;
  const end = key.end + value[0].length;
  return { description: `switch ${guard} on`, edits: [{ start: end - 'false'.length, end, text: 'true' }] };
}

const WANTED: ReadonlyMap<string, string> = new Map([
  ['secret_leak', 'SEC040'],
  ['shell_command', 'SEC041'],
]);

/** Guards that are off; and the two that everybody should have, where neither the document nor what it extends speaks of them. */
function lintPresence(report: LintReport): void {
  const { document, resolved } = report.input;
  for (const name of GUARD_NAMES) {
    const path = `guards.${name}`;
    const code = WANTED.get(name);
    // One that is absent has its defaults, and those are on.
    if (resolved.guards[name]?.enabled === false) {
      if (name !== 'path_allowlist')
        report.say(code ?? 'CS001', `${name} is off`, { path: `${path}.enabled`, fix: switchOn(report, name) });
    } else if (code !== undefined && document.content.extends === undefined && document.content.guards?.[name] === undefined)
      report.say(code, `${name} is not configured: only built-in defaults hold`, { path });
  }
}

function lintDoubts(report: LintReport): void {
  const { guards, settings } = report.input.resolved;
  if (guards.shell_command.enabled && guards.shell_command.unparsed === 'warn')
    report.say('CS003', 'shell text that cannot be read passes', { path: 'guards.shell_command.unparsed' });
  if (guards.mcp_tool.enabled && guards.mcp_tool.require_confirmation.length > 0 && guards.mcp_tool.confirmation === 'warn')
    report.say('CS003', 'tools that need confirmation pass without one', { path: 'guards.mcp_tool.confirmation' });
  if (settings.unregistered_tools === 'warn')
    report.say('CS004', 'unregistered tools pass with a warning', { path: 'settings.unregistered_tools' });
  if (settings.thresholds.block > 900)
    report.say('CS022', `only a risk of ${String(settings.thresholds.block)} thousandths is refused`, {
      path: 'settings.thresholds.block',
    });
}

/** Of one decision, all of it. */
const DECISION_MS = 10_000;

function lintAsking(report: LintReport): void {
  const { spider_sense: spider } = report.input.resolved.guards;
  if (spider?.enabled !== true) return;
  const path = 'guards.spider_sense.async';
  if (spider.async.on_timeout === 'warn') report.say('CS003', 'what could not be screened passes', { path: `${path}.on_timeout` });
  if (spider.async.timeout_ms >= DECISION_MS)
    report.say('CS070', `the guard waits ${String(spider.async.timeout_ms)} milliseconds`, { path: `${path}.timeout_ms` });
}

/** Guards that are not built in: off, or let pass what they got no answer for. */
function lintCustom(report: LintReport): void {
  for (const [i, guard] of (report.input.resolved.guards.custom ?? []).entries()) {
    const path = `guards.custom[${String(i)}]`;
    if (!guard.enabled) {
      report.say('CS001', `${guard.package} is off`, { path: `${path}.enabled` });
      continue;
    }
    if (isThreatIntel(guard) && guard.async.on_timeout === 'warn')
      report.say('CS003', `what ${guard.package} gets no answer for passes`, { path: `${path}.async.on_timeout` });
    if (guard.async.timeout_ms >= DECISION_MS)
      report.say('CS070', `the guard waits ${String(guard.async.timeout_ms)} milliseconds`, { path: `${path}.async.timeout_ms` });
  }
}

function lintThresholds(report: LintReport): void {
  const counter: StepCounter = { steps: 0 };
  const earlier: Glob[] = [];
  for (const [i, { tool }] of report.input.resolved.settings.tool_thresholds.entries()) {
    const text = tool.toLowerCase();
    if (earlier.some((glob) => matchGlob(glob, text, counter)))
      report.say('CS020', 'an earlier pattern covers this one', { path: `settings.tool_thresholds[${String(i)}]` });
    const glob = compilePathGlob(text, 'permit');
    if (glob.ok) earlier.push(glob.value);
  }
}

export function lintGuards(report: LintReport): void {
  lintEgress(report);
  lintPaths(report);
  lintTools(report);
  lintPresence(report);
  lintDoubts(report);
  lintAsking(report);
  lintCustom(report);
  lintThresholds(report);
}
