/** Cedar as the tests of this room and of the judge start it. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type Cedar, type CompiledPolicy, compilePolicy, createCedar, formatFaults, type PolicyFault } from '@countersign/policy';
import { resolved } from './support.ts';

const require = createRequire(import.meta.url);

export function cedarBytes(): Uint8Array {
  return readFileSync(join(dirname(require.resolve('@cedar-policy/cedar-wasm/nodejs')), 'cedar_wasm_bg.wasm'));
}

export const cedar: Cedar = createCedar(cedarBytes);

export function cedarPolicy(section: object): CompiledPolicy {
  const policy = compilePolicy(resolved(JSON.stringify({ cedar: section })), { cedar });
  if (!policy.ok) throw new Error(formatFaults(policy.error));
  return policy.value;
}

export function cedarFaults(section: object): readonly PolicyFault[] {
  const policy = compilePolicy(resolved(JSON.stringify({ cedar: section })), { cedar });
  return policy.ok ? [] : policy.error;
}
