/** @module How an adapter is opened for a resolved policy. */
import type { Fault, Result } from '@countersign/kernel';
import type { ResolvedPolicy } from '@countersign/policy';
import type { AskedGuard, AskingWorld } from './asking.ts';
import type { SecretSource } from './named-secrets.ts';

/** The guards of the policy that an adapter serves, by the name that they report under. */
export type OpenAdapters = (
  policy: ResolvedPolicy,
  secrets: SecretSource,
  machine: GuardMachine,
) => Result<readonly (readonly [guard: string, asked: AskedGuard])[], readonly Fault[]>;

/** What the operator's own guards need of this machine. */
export interface GuardMachine extends Pick<AskingWorld, 'timer'> {
  /** The folder in which guard packages are; undefined where there is none. */
  readonly guardsDir?: string | undefined;
}
