/** Sessions whose receipts ask for outcomes: in time, late, twice, missing, or of nobody. */
import { bad, type BundleVector, good, textOf } from './vector-forms.ts';
import { fullBundle, openWorld, outcomeDraft, receiptDraft, uuid, type World } from './fixtures.ts';
import { makeBundle } from '../src/index.ts';

/** By when the outcomes of `receiptDraft` are due, and just after. */
const DUE = '2026-01-02T03:05:05.678Z';
const AFTER = '2026-01-02T03:05:05.679Z';

async function session(write: (world: World) => number, ends: boolean): Promise<readonly string[]> {
  const world = await openWorld();
  const count = write(world);
  const files: string[] = [];
  if (ends) {
    const end = { id: uuid(99), time: '2026-01-02T04:00:00.000Z', org: 'org-1', session: 'session-1', reason: 'done' };
    await world.recorder.stageSessionEnd(end).durable;
  }
  await world.log.whenPublished(count - 1 + (ends ? 1 : 0));
  for (let n = 1; n <= count; n += 1) files.push(textOf(await fullBundle(world, uuid(n))));
  if (ends) files.push(textOf(await makeBundle({ log: world.log, index: count })));
  await world.log.close();
  return files;
}

const answered = (time: string) => (world: World) => {
  const { body } = world.recorder.stageReceipt(receiptDraft(1));
  world.recorder.stageOutcome(outcomeDraft(2, body, { time }));
  return 2;
};

const unanswered = (world: World): number => {
  world.recorder.stageReceipt(receiptDraft(1));
  world.recorder.stageReceipt(receiptDraft(2, { outcomeBy: null }));
  return 2;
};

const twice = (world: World): number => {
  const { body } = world.recorder.stageReceipt(receiptDraft(1));
  world.recorder.stageOutcome(outcomeDraft(2, body));
  world.recorder.stageOutcome(outcomeDraft(3, body));
  return 3;
};

const unbound = (world: World): number => {
  const { body } = world.recorder.stageReceipt(receiptDraft(1));
  world.recorder.stageOutcome(outcomeDraft(2, body));
  world.recorder.stageOutcome(outcomeDraft(3, { ...body, id: uuid(77) }));
  return 3;
};

const unasked = (world: World): number => {
  const { body } = world.recorder.stageReceipt(receiptDraft(1, { outcomeBy: null }));
  world.recorder.stageOutcome(outcomeDraft(2, body));
  return 2;
};

export async function outcomesValid(): Promise<readonly BundleVector[]> {
  const whole = ['chain pass chain_ok'];
  return [
    good('outcomes: in time', await session(answered(DUE), false), [...whole, 'outcomes pass outcomes_ok']),
    good('outcomes: in time, and ended', await session(answered(DUE), true), [...whole, 'outcomes pass outcomes_ok']),
    good('outcomes: not there, and no clock', await session(unanswered, false), [...whole, 'outcomes not-checked outcome_pending']),
    { ...good('outcomes: due now', await session(unanswered, false), ['outcomes not-checked outcome_pending']), now: DUE },
    { ...good('outcomes: one that nobody asked for', await session(unasked, false), ['outcomes pass outcomes_ok']), now: AFTER },
  ];
}

export async function outcomesInvalid(): Promise<readonly BundleVector[]> {
  const whole = 'chain pass chain_ok';
  return [
    bad('outcomes: late', await session(answered(AFTER), false), [whole, 'outcomes fail outcome_late']),
    { ...bad('outcomes: missing when due', await session(unanswered, false), [whole, 'outcomes fail outcome_missing']), now: AFTER },
    bad('outcomes: missing when the session has ended', await session(unanswered, true), [whole, 'outcomes fail outcome_missing']),
    bad('outcomes: two of one receipt', await session(twice, false), [whole, 'outcomes fail outcome_twice']),
    bad('outcomes: of no receipt in the chain', await session(unbound, false), [whole, 'outcomes fail outcome_unbound']),
  ];
}
