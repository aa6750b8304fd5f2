/**
 * @module Erasing a subject end to end (spec/receipt.md RCPT-031, RCPT-032, RCPT-043, RCPT-053): what comes gets another key, every
 * change of state so far goes to the tables, then keys are destroyed and the intent is kept in one step, then the entry is written.
 */
import { type Clock, CodedError, codeOf, err, type Fault, formatTime, ok, type Random, uuidv7 } from '@countersign/kernel';
import type { Erased, ErasureRequest, VaultDesk, VaultFaultCode, VaultResult } from '@countersign/pipeline';
import type { ReceiptRecorder } from '@countersign/receipts';
import { type ErasureIntent, STORE_LIMITS, type Vault } from '@countersign/store';
import type { Logs } from './logs.ts';
import { reasonFault } from './plain-reason.ts';

export interface ErasureParts {
  readonly vault: Vault;
  readonly logs: Pick<Logs, 'settleOrg' | 'allOpen'>;
  readonly recorder: Pick<ReceiptRecorder, 'find' | 'stageErasure'>;
  readonly clock: Clock;
  readonly random: Random;
}

function unknown(): VaultResult<never> {
  return err({
    code: 'subject_unknown',
    message: 'nothing is sealed for this subject in this org',
    path: '/subject',
    hint: 'name the end user as actions did, or the id of an agent; it may have been erased already',
  });
}

function faultOf({ subject, reason }: Pick<ErasureRequest, 'subject' | 'reason'>): Fault<VaultFaultCode> | undefined {
  if (subject === '' || subject.length > STORE_LIMITS.subjectCharsMax || !subject.isWellFormed())
    return { code: 'invalid_subject', message: `a subject has 1 to ${STORE_LIMITS.subjectCharsMax} characters`, path: '/subject' };
  return reasonFault(reason);
}

/** Writes the entry of an erasure whose keys are gone, unless a start before this one has. */
async function enter({ vault, recorder }: ErasureParts, intent: ErasureIntent): Promise<number> {
  const known = await recorder.find(intent.id);
  let index = known?.index ?? -1;
  if (known === undefined) {
    const staged = recorder.stageErasure(intent);
    await staged.durable;
    index = staged.index;
  }
  vault.settle(intent.id);
  return index;
}

async function erase(parts: ErasureParts, request: ErasureRequest): Promise<VaultResult<Erased>> {
  const { vault, logs, clock, random } = parts;
  const fault = faultOf(request);
  if (fault !== undefined) return err(fault);
  const { org, subject, by, reason } = request;
  // From here on no key that is to be destroyed seals anything, so what is staged now is all there ever will be under it.
  if (vault.retire({ org, name: subject }) === 0) return unknown();
  await logs.settleOrg(org);
  const intent = vault.destroy({ id: uuidv7(clock, random), time: formatTime(clock.nowMs()), org, subject, by, reason });
  if (intent === undefined) return unknown();
  try {
    const { id, time, keys } = intent;
    return ok({ id, index: await enter(parts, intent), time, keys });
  } catch (error) {
    throw new CodedError(
      {
        code: 'erasure_not_entered',
        message: `the keys are destroyed, but the log did not take the entry (${codeOf(error)})`,
        hint: 'mend the log and start again: the entry is written then',
      },
      { cause: error },
    );
  }
}

function rotate({ vault }: ErasureParts, subject: Parameters<VaultDesk['rotate']>[0]): ReturnType<VaultDesk['rotate']> {
  if (subject === undefined) vault.retire();
  else if (vault.retire({ org: subject.org, name: subject.subject }) === 0) return unknown();
  return ok(vault.numbers());
}

/** Enters what was cut short, then serves. @throws CodedError what log and vault say. */
export async function openVaultDesk(parts: ErasureParts): Promise<VaultDesk> {
  for (const intent of parts.vault.intents()) {
    // An erasure is entered once. Where a log cannot be asked, it waits for a start at which it can.
    if (parts.logs.allOpen() || (await parts.recorder.find(intent.id)) !== undefined) await enter(parts, intent);
  }
  return {
    view: () => parts.vault.numbers(),
    erase: (request) => erase(parts, request),
    rotate: (subject) => rotate(parts, subject),
  };
}
