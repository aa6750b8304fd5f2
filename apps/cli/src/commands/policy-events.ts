/** @module `policy eval`, `simulate` and `impact`: what policies say of recorded events, one, many, or under two policies. */
import type { JsonObject } from '@countersign/kernel';
import { type Command, type Context, flag, type Input, textOption } from '../command.ts';
import { decideEvent, type EventDecision, eventDecisionJson, type EventJudge, type EventOutcome, refuseEvent } from '../event-decisions.ts';
import { type EventLine, eventLines } from '../event-lines.ts';
import { openInstalledJudging } from '../judging.ts';
import { CLI_LIMITS } from '../limits.ts';
import { openOcsfFile } from '../ocsf-file.ts';
import { configError, EXIT, type ExitCode, type Outcome, usageError } from '../outcome.ts';
import { type NamedPolicy, resolveNamed } from '../policies.ts';
import { type Colour, type Paint, printable } from '../render.ts';
import { SessionTracker } from '../session-tracking.ts';

interface Opened {
  readonly policy: NamedPolicy;
  readonly judge: EventJudge;
}

async function openJudge(source: string, input: Input, context: Context): Promise<Opened> {
  const policy = await resolveNamed(source, context);
  const judging = await context.progress('loading the engine', () => openInstalledJudging(policy, context));
  const sessions = flag(input, 'trackPosture') ? new SessionTracker(policy.resolved.posture) : undefined;
  return { policy, judge: { judging, context, allowUnseen: flag(input, 'allowUnseen'), sessions } };
}

function decide(judge: EventJudge, { id, event }: EventLine): EventDecision {
  return event.ok ? decideEvent(judge, event.value) : refuseEvent(id, event.error);
}

const EXITS: Readonly<Record<EventOutcome, ExitCode>> = { allowed: EXIT.ok, warn: EXIT.warn, blocked: EXIT.deny };
const COLOURS: Readonly<Record<EventOutcome, Colour>> = { allowed: 'green', warn: 'yellow', blocked: 'red' };

/** Which event, what it is about, and who speaks against it. */
function aboutText({ id, type, guard, message, event, posture }: EventDecision): string {
  const about = event === undefined ? '' : ` ${event.resource.name.slice(0, CLI_LIMITS.quoteChars)}`;
  const why = guard === null ? '' : `  ${guard}: ${message}`;
  const moves = posture?.transitions.map(({ from, to, on }) => `  ${from} -> ${to} on ${on}`) ?? [];
  return printable(`${id}  ${type}${about}${why}${moves.join('')}`).replaceAll('\n', ' ');
}

function decisionText(decided: EventDecision, paint: Paint): string {
  return `${paint(COLOURS[decided.outcome], decided.outcome.padEnd(7))} ${aboutText(decided)}`;
}

async function evaluate(input: Input, context: Context): Promise<Outcome> {
  const [source, file] = input.args;
  if (source === undefined || file === undefined) throw usageError('a policy and an event are needed', 'countersign policy eval --help');
  const { policy, judge } = await openJudge(source, input, context);
  const lines: EventLine[] = [];
  for await (const line of eventLines(file, context)) lines.push(line);
  const [only, ...more] = lines;
  if (only === undefined || more.length > 0) {
    const hint = 'one JSON object on one line; many events: countersign policy simulate';
    throw configError([{ code: 'event_form', message: 'the file must hold one event', path: file, hint }]);
  }
  const decided = decide(judge, only);
  const json = { policy: { source, hash: policy.hash }, ...eventDecisionJson(decided) };
  return { exitCode: EXITS[decided.outcome], json, text: decisionText(decided, context.paint) };
}

interface Summary {
  readonly total: number;
  readonly allowed: number;
  readonly warn: number;
  readonly blocked: number;
}

function summaryText({ total, allowed, warn, blocked }: Summary): string {
  return `${String(total)} events: ${String(allowed)} allowed, ${String(warn)} warned, ${String(blocked)} blocked`;
}

/** Where the sessions stand at the end; undefined where nobody asked. */
function sessionsJson({ sessions }: EventJudge): JsonObject | undefined {
  if (sessions === undefined) return undefined;
  const rows = [...sessions.rows()];
  const shown = rows.slice(0, CLI_LIMITS.simulateRowsMax).map(({ session, state, budgets }) => ({ session, state, budgets }));
  return { transitions: sessions.transitions, sessions: shown, sessions_cut: rows.length - shown.length };
}

function sessionsText({ sessions }: EventJudge): string {
  if (sessions === undefined) return '';
  const rows = [...sessions.rows()];
  const counts = new Map<string, number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].map(([state, count]) => `${String(count)} in ${state}`).join(', ');
  const where = rows.length === 0 ? 'none has a posture' : states;
  return `\n${String(sessions.transitions)} transitions; sessions at the end: ${where}`;
}

type Form = 'rows' | 'lines' | 'jsonl' | 'none';

function formOf(input: Input, context: Context): Form {
  if (flag(input, 'jsonl') && context.json)
    throw usageError('--json and --jsonl are two forms of one answer', 'countersign policy simulate --help');
  if (flag(input, 'summary')) return 'none';
  if (flag(input, 'jsonl')) return 'jsonl';
  return context.json ? 'rows' : 'lines';
}

async function simulate(input: Input, context: Context): Promise<Outcome> {
  const [source, file = '-'] = input.args;
  if (source === undefined) throw usageError('no policy is named', 'countersign policy simulate --help');
  const form = formOf(input, context);
  const { policy, judge } = await openJudge(source, input, context);
  const ocsf = await openOcsfFile(textOption(input, 'ocsfOut'), context);
  const summary = { total: 0, allowed: 0, warn: 0, blocked: 0 };
  const rows: JsonObject[] = [];
  try {
    await context.progress('judging events', async () => {
      for await (const line of eventLines(file, context)) {
        const decided = decide(judge, line);
        summary.total += 1;
        summary[decided.outcome] += 1;
        if (form === 'jsonl') context.line(JSON.stringify(eventDecisionJson(decided)));
        if (form === 'lines') context.line(decisionText(decided, context.paint));
        if (form === 'rows' && rows.length < CLI_LIMITS.simulateRowsMax) rows.push(eventDecisionJson(decided));
        await ocsf?.write(decided);
      }
    });
  } finally {
    await ocsf?.close();
  }
  const results = form === 'rows' ? { results: rows, results_cut: summary.total - rows.length } : {};
  const posture = sessionsJson(judge);
  const json = { policy: { source, hash: policy.hash }, summary, ...results, ...(posture === undefined ? {} : { posture }) };
  const failed = flag(input, 'failOnDeny') && summary.blocked > 0;
  return { exitCode: failed ? EXIT.deny : EXIT.ok, json, text: form === 'jsonl' ? '' : `${summaryText(summary)}${sessionsText(judge)}` };
}

/** A change of one event's outcome; `deny -> allow` opens something, `allow -> deny` may break whoever does it. */
interface ImpactTally {
  total: number;
  same: number;
  /** Was refused and passes: the change that breaks protection. */
  opened: number;
  /** Passed and is refused. */
  closed: number;
  /** Passes before and after, with a warning on one side only. */
  warned: number;
}

type Impact = 'same' | 'opened' | 'closed' | 'warned';

function impactOf(before: EventDecision, after: EventDecision): Impact {
  if (before.outcome === after.outcome) return 'same';
  if (before.outcome === 'blocked') return 'opened';
  return after.outcome === 'blocked' ? 'closed' : 'warned';
}

const IMPACT_COLOURS: Readonly<Record<Impact, Colour>> = { same: 'dim', opened: 'red', closed: 'yellow', warned: 'dim' };

function impactText(tally: ImpactTally): string {
  const { total, same, opened, closed, warned } = tally;
  return `${String(total)} events: ${String(opened)} opened (deny -> allow), ${String(closed)} closed (allow -> deny), ${String(warned)} warned otherwise, ${String(same)} the same`;
}

async function impact(input: Input, context: Context): Promise<Outcome> {
  const [left, right, file] = input.args;
  if (left === undefined || right === undefined || file === undefined)
    throw usageError('two policies and events are needed', 'countersign policy impact --help');
  const [before, after] = [await openJudge(left, input, context), await openJudge(right, input, context)];
  const tally: ImpactTally = { total: 0, same: 0, opened: 0, closed: 0, warned: 0 };
  const rows: JsonObject[] = [];
  await context.progress('judging events twice', async () => {
    for await (const line of eventLines(file, context)) {
      const [was, is] = [decide(before.judge, line), decide(after.judge, line)];
      const change = impactOf(was, is);
      tally.total += 1;
      tally[change] += 1;
      if (change === 'same') continue;
      if (context.json && rows.length < CLI_LIMITS.simulateRowsMax)
        rows.push({ eventId: was.id, eventType: was.type, impact: change, old: eventDecisionJson(was), new: eventDecisionJson(is) });
      const who = change === 'opened' ? was : is;
      const head = `${was.outcome} -> ${is.outcome}`.padEnd(18);
      if (!context.json) context.line(`${context.paint(IMPACT_COLOURS[change], head)} ${aboutText(who)}`);
    }
  });
  const changed = tally.total - tally.same;
  const breaking = flag(input, 'failOnBreaking') && tally.opened > 0;
  const cut = changed - rows.length;
  const json = { old: left, new: right, summary: { ...tally }, changes: rows, changes_cut: context.json ? cut : 0 };
  const passed = changed === 0 ? EXIT.ok : EXIT.warn;
  return { exitCode: breaking ? EXIT.deny : passed, json, text: impactText(tally) };
}

const UNSEEN = { flags: '--allow-unseen', summary: 'do not deny a write or a patch whose content is not in the event' } as const;

export const policyEventCommands: readonly Command[] = [
  {
    path: 'policy eval',
    args: '<ruleset-or-file> <event>',
    summary: 'what a policy says of one event (a file, or - for standard input): exit code 0, 1 for a warning, 2 for a denial',
    options: [UNSEEN],
    examples: ['countersign policy eval default event.json', 'tail -1 events.jsonl | countersign policy eval strict - --json'],
    run: evaluate,
  },
  {
    path: 'policy simulate',
    args: '<ruleset-or-file> [events]',
    summary: 'what a policy says of recorded events, one JSON object a line, of any number',
    options: [
      { flags: '--jsonl', summary: 'one answer a line, as they come' },
      { flags: '--summary', summary: 'only the counts' },
      { flags: '--fail-on-deny', summary: 'exit code 2 where anything is blocked' },
      { flags: '--track-posture', summary: 'follow the sessions: state, budgets and transitions, as the running gateway does' },
      { flags: '--ocsf-out <file>', summary: 'each decision as an OCSF 1.4.0 event, one a line, into a new file' },
      UNSEEN,
    ],
    examples: [
      'countersign policy simulate strict events.jsonl --fail-on-deny',
      'countersign policy simulate ai-agent-posture events.jsonl --track-posture',
      'cat events.jsonl | countersign policy simulate default - --jsonl',
    ],
    run: simulate,
  },
  {
    path: 'policy impact',
    args: '<old> <new> <events>',
    summary: 'what would be decided otherwise: opened (deny -> allow) and closed (allow -> deny); exit code 1 where anything is',
    options: [{ flags: '--fail-on-breaking', summary: 'exit code 2 where anything that was refused would pass' }, UNSEEN],
    examples: [
      'countersign policy impact old.yaml new.yaml events.jsonl',
      'countersign policy impact default strict events.jsonl --fail-on-breaking',
    ],
    run: impact,
  },
];
