/**
 * @module `policy lint`: what a valid policy says without meaning to, perhaps. Pure; every finding has a code, a place and a reason, and some a fix.
 */
import { dotted } from '../document-path.ts';
import { POLICY_VERSIONS } from '../fields.ts';
import type { PolicyFault } from '../faults.ts';
import { lintGuards } from './lint-guards.ts';
import { postureFacts } from '../posture.ts';
import { lintLists } from './lint-lists.ts';
import { lintPlaces } from './lint-places.ts';
import { type LintFinding, type LintInput, LintReport } from './lint-report.ts';

function lintIdentity(report: LintReport): void {
  const { document, resolved, text } = report.input;
  if (resolved.name.trim() === '') report.say('STY001', 'no name is said', { path: 'name' });
  if (resolved.description.trim() === '') report.say('STY002', 'no description is given', { path: 'description' });
  if (document.content.version !== undefined) return;
  const newest = POLICY_VERSIONS.at(-1) ?? '';
  // Before the first key that stands at the margin, after comments and the mark of the document.
  const start = Math.min(...[...document.positions].filter(([path]) => /^[a-z_]+$/.test(path)).map(([, at]) => at.start));
  const plain = Number.isFinite(start) && (start === 0 || text[start - 1] === '\n');
  const fix = plain ? { description: 'say the version', edits: [{ start, end: start, text: `version: "${newest}"\n` }] } : undefined;
  report.say('CS040', `without it the newest is meant, ${newest}`, { path: 'version', fix });
}

function lintPosture(report: LintReport): void {
  const { posture, origins } = report.input.resolved;
  if (posture === undefined) return;
  const { unreachable, deadEnds, raising } = postureFacts(posture);
  // A state that an origin names holds there, whether a session gets to it or not.
  const named = new Set(origins?.profiles.map((profile) => profile.posture));
  for (const name of unreachable.filter((one) => !named.has(one)))
    report.say('POS001', 'no transition leads here from the initial state', { path: dotted('posture.states', name) });
  for (const name of deadEnds) report.say('POS002', 'no transition leads out of here', { path: dotted('posture.states', name) });
  for (const i of raising)
    report.say('CS050', 'a session gains a capability by this transition, and nobody is asked', { path: dotted('posture.transitions', i) });
}

/** Everything there is to say of a valid policy, in the order of the document. */
export function lintPolicy(input: LintInput): readonly LintFinding[] {
  const report = new LintReport(input);
  lintIdentity(report);
  lintLists(report);
  lintGuards(report);
  lintPosture(report);
  lintPlaces(report);
  for (const id of input.unknownRules) report.say('CS030', `no rule has the id ${id}`, { path: 'detection' });
  return report.findings.toSorted((a, b) => (a.position?.start ?? 0) - (b.position?.start ?? 0));
}

/** Faults of a document that is no policy, as findings: an expression that is exponential elsewhere has a code of its own. */
export function findingsOfFaults(faults: readonly PolicyFault[]): readonly LintFinding[] {
  return faults.map((fault) => {
    const { path = '', message, line, column } = fault;
    const unsafe = fault.code === 'policy_regex_unsafe' ? (path.startsWith('guards.patch_integrity') ? 'SEC021' : 'SEC020') : fault.code;
    const { span } = fault;
    const position =
      line === undefined || column === undefined || span === undefined ? undefined : { line, column, start: span.start, end: span.end };
    return { code: unsafe, level: 'error', message, path, ...(position !== undefined && { position }) };
  });
}
