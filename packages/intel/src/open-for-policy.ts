/** @module Whom the guards of one resolved policy ask: each adapter says what it needs of the policy. */
import { err, type Fault, ok, type Result } from '@countersign/kernel';
import type { ResolvedPolicy } from '@countersign/policy';
import { type AskedGuard, type AskingWorld, openOutside, type Outside } from './asking.ts';
import { openEmbedding } from './embedding.ts';
import type { SecretSource } from './named-secrets.ts';
import type { GuardMachine, OpenAdapters } from './open-adapters.ts';
import { openCustom } from './open-custom.ts';

const OPENERS: readonly OpenAdapters[] = [openEmbedding, openCustom];

export interface IntelWorld extends AskingWorld, GuardMachine {
  readonly secrets: SecretSource;
}

/** Undefined where no guard of the policy asks anybody. */
export function outsideOf(policy: ResolvedPolicy, world: IntelWorld): Result<Outside | undefined, readonly Fault[]> {
  const guards = new Map<string, AskedGuard>();
  const faults: Fault[] = [];
  for (const open of OPENERS) {
    const opened = open(policy, world.secrets, world);
    if (opened.ok) for (const [guard, asked] of opened.value) guards.set(guard, asked);
    else faults.push(...opened.error);
  }
  if (faults.length > 0) return err(faults);
  return ok(guards.size === 0 ? undefined : openOutside(guards, world));
}
