export { defaultPolicies, type Objective, objectiveOf, type Policy } from "./burn-rate.ts";
export { isOpenSlo, type ReadOpenSlo, readOpenSlo } from "./open-slo.ts";
export { queryMistake } from "./open-slo-queries.ts";
export type { OpenSloMistake } from "./open-slo-reader.ts";
export { type AlertingRule, prometheusRules, type RecordingRule, type RuleFile, type RuleGroup } from "./rules.ts";
