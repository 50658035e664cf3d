export { alertEvent } from "./alert-mark.ts";
export { defaultPolicies, type Objective, objectiveOf, type Policy } from "./burn-rate.ts";
export type { Post } from "./deliveries.ts";
export {
  type ObjectiveControllers,
  type ObjectiveControllersOptions,
  objectiveControllers,
} from "./objective-controllers.ts";
export { type AlertingRule, prometheusRules, type RecordingRule, type RuleFile, type RuleGroup } from "./rules.ts";
