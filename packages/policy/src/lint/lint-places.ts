/** @module What `policy lint` says of `origins` and `broker`: entries that never speak, that speak everywhere, and that refuse everything. */
import { canonicalize } from '@countersign/kernel';
import { RISK_LEVELS } from '@countersign/protocol';
import type { BrokerProvider } from '../broker.ts';
import { dotted } from '../document-path.ts';
import { tellsClass } from '../judge-broker.ts';
import type { LintReport } from './lint-report.ts';

function lintOrigins(report: LintReport): void {
  const seen = new Set<string>();
  for (const [i, { match_rules: rules, bridge_policy: bridge }] of (report.input.resolved.origins?.profiles ?? []).entries()) {
    const path = dotted('origins.profiles', i);
    const key = canonicalize(rules);
    if (seen.has(key)) report.say('CS060', 'an earlier profile has the same rules, and the first one wins', { path });
    else if (key === '{}') report.say('CS061', 'it asks for nothing, so that no place is without a profile', { path });
    seen.add(key);
    if (bridge?.allow_cross_origin === true && bridge.allowed_targets.length === 0 && !bridge.require_approval)
      report.say('CS062', 'no targets are named', { path: `${path}.bridge_policy` });
  }
}

/** The field by which a provider refuses every call, and why; undefined where it does not. */
function refusing(provider: BrokerProvider): readonly [field: keyof BrokerProvider, why: string] | undefined {
  const { approval_required_risk_levels: levels, approval_required_data_classes: classes } = provider;
  if (provider.require_intent_preview) return ['require_intent_preview', 'there are no previews here'];
  if (RISK_LEVELS.every((level) => levels.includes(level)))
    return ['approval_required_risk_levels', 'every level needs an approval, and nobody can give one'];
  const unknown = classes.find((name) => !tellsClass(name));
  if (unknown === undefined) return undefined;
  return ['approval_required_data_classes', `whether data is ${unknown} cannot be told, so it is taken to be`];
}

function lintBroker(report: LintReport): void {
  for (const [i, provider] of (report.input.resolved.broker?.providers ?? []).entries()) {
    const found = refusing(provider);
    if (found !== undefined) report.say('CS063', found[1], { path: dotted(dotted('broker.providers', i), found[0]) });
  }
}

export function lintPlaces(report: LintReport): void {
  lintOrigins(report);
  lintBroker(report);
}
