/** @module The guards of `guards.custom`, in the order of their entries. */
import type { OutsideGuard } from './outside-guard.ts';
import { type CustomGuard, isThreatIntel, SAFE_BROWSING, VIRUSTOTAL } from './custom-guards-config.ts';
import { wasmGuard } from './custom-wasm.ts';
import { safeBrowsingGuard } from './safe-browsing.ts';
import { snykGuard } from './snyk.ts';
import { virusTotalGuard } from './virustotal.ts';

function customGuard(guard: CustomGuard): OutsideGuard {
  if (!isThreatIntel(guard)) return wasmGuard(guard);
  if (guard.package === VIRUSTOTAL) return virusTotalGuard(guard);
  if (guard.package === SAFE_BROWSING) return safeBrowsingGuard(guard);
  return snykGuard(guard);
}

/** Those that are switched on. */
export function compileCustom({ custom }: { readonly custom?: readonly CustomGuard[] }): readonly OutsideGuard[] {
  return (custom ?? []).filter(({ enabled }) => enabled).map(customGuard);
}
