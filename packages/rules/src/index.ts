/** @module Rules: what they say, how they are checked, and how thousands of them are matched in linear time. */
export { compileRules, type CompiledRules } from './compile-rules.ts';
export { exampleAction, exampleSignals } from './example-action.ts';
export { FACT_CLASSES, type FactClass } from './fact-fields.ts';
export { MATCH_CUT_RULE, RULE_LIMITS } from './limits.ts';
export { matchRules, type RuleMatches } from './match-rules.ts';
export { type MatchInput } from './matching.ts';
export { joinRuleDocuments, mergeRuleDocuments, ruleSetJson } from './merge-rules.ts';
export { compilePattern, searchValue, type CompiledPattern, type Match, type Meter, type PatternMode } from './pattern.ts';
export { type PatternFault } from './pattern-syntax.ts';
export { DLP_TEMPLATES, rulesOfTemplate, type DlpPart, type DlpTemplate, type TemplateOptions } from './dlp-templates.ts';
export { KIND_GROUPS } from './read-kinds.ts';
export { parseRules } from './read-rules.ts';
export { readRuleSet } from './read-rule-set.ts';
export { type RuleFault, type RuleFaultCode } from './reading.ts';
export { steeringFaults, type Steering, unknownRules } from './steering.ts';
export type {
  Condition,
  ExampleSketch,
  FactTest,
  NumberRange,
  Pattern,
  Rule,
  RuleDocument,
  RuleExamples,
  RuleSet,
  StringTest,
  TextTest,
  WordList,
  WrittenRule,
} from './rule.ts';
export { importSigma, sigmaDocument, type SigmaFile, type SigmaPack, type SigmaRule } from './sigma/import-sigma.ts';
export { type SigmaDraft, type SigmaOutcome } from './sigma/read-sigma.ts';
export { SIGMA_LIMITS } from './sigma/sigma-limits.ts';
