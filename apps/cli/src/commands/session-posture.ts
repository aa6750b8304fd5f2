/** @module `session posture` and `session transition`: what a session may do, and moving it. */
import type { JsonObject } from '@countersign/kernel';
import type { PostureMove, SessionPosture } from '@countersign/pipeline';
import { type Command, type Context, type Input, textOption } from '../command.ts';
import { EXIT, type Outcome, usageError } from '../outcome.ts';
import { printable, renderFields } from '../render.ts';
import { withOperator } from './agents.ts';
import { orgRequest } from './sessions.ts';

/** No state has an empty name. */
function named(state: string): string {
  return state === '' ? '(none)' : state;
}

function moveText({ from, to, on }: PostureMove): string {
  return `${named(from)} -> ${named(to)} on ${on}`;
}

function listed(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(', ');
}

function postureText(found: SessionPosture): string {
  const { state, entered, capabilities, budgets, history, violated, open } = found;
  const spent = Object.entries(budgets).map(([name, { used, limit }]) => `${name} ${used}/${limit}`);
  const permits = state === '' ? 'everything that the rest of the policy permits: it has no posture' : listed(capabilities);
  const fields = [
    ['state', named(state)],
    ['entered', entered ?? 'not yet'],
    ['permits', permits],
    ['budgets', listed(spent)],
    ['last violation', violated ?? 'none'],
    ['open to a person', listed(open.map(moveText))],
    ['history', listed(history.map((move) => `${move.at} ${moveText(move)}`))],
  ] as const;
  return renderFields(fields.map(([name, value]) => [name, printable(value)] as const));
}

async function posture(input: Input, context: Context): Promise<Outcome> {
  const [session = ''] = input.args;
  const found = await withOperator(context, false, async (operator) =>
    operator.sessionPosture({ ...(await orgRequest(input, operator)), session }),
  );
  return { exitCode: EXIT.ok, json: { posture: { ...found } as unknown as JsonObject }, text: postureText(found) };
}

function readTrigger(text: string | undefined): { readonly on?: 'user_approval' | 'user_denial' } {
  if (text === undefined) return {};
  if (text === 'user_approval' || text === 'user_denial') return { on: text };
  throw usageError(`a person has no trigger \`${text}\``, 'use user_approval or user_denial');
}

async function transition(input: Input, context: Context): Promise<Outcome> {
  const [session = ''] = input.args;
  const [to, reason] = [textOption(input, 'to'), textOption(input, 'reason')];
  if (reason === undefined) throw usageError('say why', 'countersign session transition SESSION --to STATE --reason TEXT');
  const asked = { session, reason, ...readTrigger(textOption(input, 'on')), ...(to === undefined ? {} : { to }) };
  const moved = await withOperator(context, false, async (operator) =>
    operator.moveSession({ ...(await orgRequest(input, operator)), ...asked }),
  );
  const text = printable(`session ${session}: ${moveText(moved)}; receipt ${moved.receipt}`);
  return { exitCode: EXIT.ok, json: { transition: { ...moved } }, text };
}

const ORG = { flags: '--org <org>', summary: 'its id or name, where there are several' } as const;

export const sessionPostureCommands: readonly Command[] = [
  {
    path: 'session posture',
    args: '<session>',
    summary: 'the state of a session: what it permits, what is spent, and where a person can lead it',
    options: [ORG],
    examples: ['countersign session posture ticket-4711'],
    run: posture,
  },
  {
    path: 'session transition',
    args: '<session>',
    summary: 'move a session along a transition of the policy, or lock it; recorded as an action of its own',
    options: [
      { flags: '--to <state>', summary: 'a state of the policy, or locked; where sessions begin where it is not said' },
      { flags: '--on <trigger>', summary: 'user_approval or user_denial; the second to locked where it is not said, else the first' },
      { flags: '--reason <text>', summary: 'why; it is sealed with the receipt' },
      ORG,
    ],
    examples: [
      'countersign session transition ticket-4711 --to elevated --reason "reviewed the plan"',
      'countersign session transition ticket-4711 --to locked --reason "looks wrong"',
    ],
    run: transition,
  },
];
