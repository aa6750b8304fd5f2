/** @module Every command there is. */
import type { Command } from './command.ts';
import { agentCommands } from './commands/agents.ts';
import { checkCommands } from './commands/check.ts';
import { completionsCommand } from './commands/completions.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { explainCommand } from './commands/explain.ts';
import { guardCommands } from './commands/guards.ts';
import { hostCommands } from './commands/hosts.ts';
import { keyCommands } from './commands/keys.ts';
import { logArchiveCommands } from './commands/log-archive.ts';
import { logFsckCommand } from './commands/log-fsck.ts';
import { logKeyCommands } from './commands/log-keys.ts';
import { logProofCommands } from './commands/log-proofs.ts';
import { logRoomCommands } from './commands/log-rooms.ts';
import { logServeCommand } from './commands/log-serve.ts';
import { logCommands } from './commands/logs.ts';
import { logWitnessCommands } from './commands/log-witnesses.ts';
import { orgCommands } from './commands/orgs.ts';
import { importClampdCommand } from './commands/policy-clampd.ts';
import { policyCommands } from './commands/policies.ts';
import { policyDiffCommand } from './commands/policy-diff.ts';
import { policyEventCommands } from './commands/policy-events.ts';
import { policySynthCommand } from './commands/policy-synth.ts';
import { policyLintCommand } from './commands/policy-lint.ts';
import { policyMigrateCommand } from './commands/policy-migrate.ts';
import { policyPatternsCommand } from './commands/policy-patterns.ts';
import { policyTestCommand } from './commands/policy-test.ts';
import { policyBundleCommands } from './commands/policy-bundles.ts';
import { policySignerCommands } from './commands/policy-signers.ts';
import { receiptCommands } from './commands/receipts.ts';
import { replayCommand } from './commands/replay.ts';
import { customRuleCommands } from './commands/rules-custom.ts';
import { sigmaCommand } from './commands/rules-sigma.ts';
import { ruleSteeringCommands } from './commands/rules-steering.ts';
import { ruleCommands } from './commands/rules.ts';
import { sessionPostureCommands } from './commands/session-posture.ts';
import { sessionCommands } from './commands/sessions.ts';
import { toolCommands } from './commands/tools.ts';
import { upCommand } from './commands/up.ts';
import { vaultCommands } from './commands/vault.ts';
import { verifyCommand } from './commands/verify.ts';
import { witnessCommands } from './commands/witnesses.ts';

/** Words that have commands below them. */
export const GROUPS: readonly (readonly [string, string])[] = [
  ['check', 'what would be said of one action, offline'],
  ['agent', 'who may ask, and stopping them'],
  ['key', 'API keys'],
  ['tool', 'which tools agents may call'],
  ['org', 'learning or locked, and which log'],
  ['policy', 'policies and rulesets'],
  ['policy bundle', 'signed files of policies'],
  ['policy signer', 'whose signed policies are believed'],
  ['policy patterns', 'databases of known attacks'],
  ['guard', 'guard packages of your own, in WebAssembly'],
  ['rules', 'detection rules: which speak, how loudly, and your own'],
  ['hosts', 'your named lists of hosts'],
  ['log', 'the transparency log'],
  ['log prove', 'proofs for whoever follows the log'],
  ['receipt', 'single receipts'],
  ['session', 'what belongs together, ending it, and all of its proofs'],
  ['vault', 'what is sealed, and erasing it'],
  ['witness', 'cosigning the logs of others'],
];

export const COMMANDS: readonly Command[] = [
  upCommand,
  ...checkCommands,
  explainCommand,
  ...agentCommands,
  ...keyCommands,
  ...toolCommands,
  ...orgCommands,
  ...policyCommands,
  importClampdCommand,
  policyDiffCommand,
  policyLintCommand,
  policyTestCommand,
  policyMigrateCommand,
  policyPatternsCommand,
  ...policyEventCommands,
  policySynthCommand,
  ...policyBundleCommands,
  ...policySignerCommands,
  ...guardCommands,
  ...ruleCommands,
  ...ruleSteeringCommands,
  ...customRuleCommands,
  sigmaCommand,
  ...hostCommands,
  ...logCommands,
  ...logKeyCommands,
  ...logProofCommands,
  logFsckCommand,
  ...logArchiveCommands,
  ...logRoomCommands,
  logServeCommand,
  ...logWitnessCommands,
  ...receiptCommands,
  ...sessionCommands,
  ...sessionPostureCommands,
  ...vaultCommands,
  verifyCommand,
  replayCommand,
  ...witnessCommands,
  doctorCommand,
  demoCommand,
  completionsCommand(() => COMMANDS.map(({ path }) => path)),
];
