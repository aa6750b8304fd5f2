/** @module Names of the rulesets that ship with Countersign. */

/** Names that `extends` may give. */
export const BUILTIN_RULESETS: readonly string[] = [
  'permissive',
  'default',
  'strict',
  'ai-agent',
  'cicd',
  'learning',
  'ai-agent-posture',
  'remote-desktop',
  'remote-desktop-strict',
  'remote-desktop-permissive',
  'origin-enclaves-example',
  'hipaa-default',
  'hipaa-strict',
  'pci-default',
  'pci-strict',
  'soc2-default',
  'soc2-strict',
  'spider-sense',
];

/** Those that load only where the operator has set what they name: a database of patterns and the server that makes its vectors. */
export const OPERATOR_RULESETS: ReadonlySet<string> = new Set(['spider-sense']);
