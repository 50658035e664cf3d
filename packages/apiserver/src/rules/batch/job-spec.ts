/** What a Job, or a template of Jobs, asks for. Source: kubernetes pkg/apis/batch/validation */
import {
  type FieldError,
  invalidValue,
  type JobSpec,
  notSupported,
  type PodFailurePolicyRule,
  required,
  tooMany,
} from "@flotilla/objects";
import { flat, nonNegative, oneOf } from "../mistakes.ts";
import { templateMistakes } from "../pod/spec.ts";

const counts = [
  "parallelism",
  "completions",
  "activeDeadlineSeconds",
  "backoffLimit",
  "ttlSecondsAfterFinished",
  "backoffLimitPerIndex",
  "maxFailedIndexes",
] as const;

const mostRules = 20;
const mostParallelIndexes = 100_000;
const mostExitCodes = 255;

export function jobSpecMistakes(path: string, spec: JobSpec): FieldError[] {
  const mistakes = counts.flatMap((field) => nonNegative(`${path}.${field}`, spec[field]));
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined)
    mistakes.push(required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"));
  if (spec.managedBy !== undefined && !/^[a-z0-9.-]+\/[!-~]+$/.test(spec.managedBy))
    mistakes.push(
      invalidValue(`${path}.managedBy`, spec.managedBy, 'must be a domain-prefixed path (such as "acme.io/foo")'),
    );
  mistakes.push(...oneOf(`${path}.completionMode`, spec.completionMode, ["NonIndexed", "Indexed"]));
  mistakes.push(...(spec.completionMode === "Indexed" ? indexedMistakes(path, spec) : countedMistakes(path, spec)));
  mistakes.push(...failurePolicyMistakes(`${path}.podFailurePolicy.rules`, spec));
  mistakes.push(...replacementMistakes(`${path}.podReplacementPolicy`, spec));
  return [...mistakes, ...templateMistakes(`${path}.template`, spec.template), ...restartMistakes(path, spec)];
}

function indexedMistakes(path: string, { completions, parallelism = 0, maxFailedIndexes = 0 }: JobSpec): FieldError[] {
  const mistakes: FieldError[] = [];
  if (completions === undefined) mistakes.push(required(`${path}.completions`, "when completion mode is Indexed"));
  if (parallelism > mostParallelIndexes)
    mistakes.push(
      invalidValue(
        `${path}.parallelism`,
        parallelism,
        `must be less than or equal to ${mostParallelIndexes} when completion mode is Indexed`,
      ),
    );
  if (completions !== undefined && maxFailedIndexes > completions)
    mistakes.push(
      invalidValue(`${path}.maxFailedIndexes`, maxFailedIndexes, "must be less than or equal to completions"),
    );
  return mistakes;
}

function countedMistakes(path: string, spec: JobSpec): FieldError[] {
  if (spec.completionMode !== undefined && spec.completionMode !== "NonIndexed") return [];
  const mistakes = (["backoffLimitPerIndex", "maxFailedIndexes"] as const)
    .filter((field) => spec[field] !== undefined)
    .map((field) => invalidValue(`${path}.${field}`, spec[field], "requires indexed completion mode"));
  if (spec.successPolicy)
    mistakes.push(invalidValue(`${path}.successPolicy`, spec.successPolicy, "requires indexed completion mode"));
  return mistakes;
}

function replacementMistakes(path: string, { podReplacementPolicy: policy, podFailurePolicy }: JobSpec): FieldError[] {
  return oneOf(path, policy, podFailurePolicy ? ["Failed"] : ["Failed", "TerminatingOrFailed"]);
}

function restartMistakes(path: string, { template, podFailurePolicy }: JobSpec): FieldError[] {
  const at = `${path}.template.spec.restartPolicy`;
  const policy = template.spec?.restartPolicy ?? "Always";
  if (policy === "Always") return [required(at, 'valid values: "OnFailure", "Never"')];
  if (policy !== "OnFailure" && policy !== "Never") return [notSupported(at, policy, ["OnFailure", "Never"])];
  return podFailurePolicy && policy !== "Never"
    ? [invalidValue(at, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    : [];
}

function failurePolicyMistakes(path: string, spec: JobSpec): FieldError[] {
  const rules = spec.podFailurePolicy?.rules;
  const { containers = [], initContainers = [] } = spec.template.spec ?? {};
  const names = new Set([...containers, ...initContainers].map(({ name }) => name));
  const mistakes = flat(rules, (rule, i) => ruleMistakes(`${path}[${i}]`, rule, spec, names));
  if (rules && rules.length > mostRules) mistakes.push(tooMany(path, rules.length, mostRules));
  return mistakes;
}

const actions = ["Count", "FailIndex", "FailJob", "Ignore"];

function ruleMistakes(path: string, rule: PodFailurePolicyRule, spec: JobSpec, names: Set<string>): FieldError[] {
  const { action, onExitCodes, onPodConditions } = rule;
  const mistakes: FieldError[] = [];
  if (!action)
    mistakes.push(required(`${path}.action`, `valid values: [${actions.map((each) => `"${each}"`).join(" ")}]`));
  else if (action === "FailIndex" && spec.backoffLimitPerIndex === undefined)
    mistakes.push(invalidValue(`${path}.action`, action, "requires the backoffLimitPerIndex to be set"));
  else mistakes.push(...oneOf(`${path}.action`, action, actions));
  if (onExitCodes) mistakes.push(...exitCodeMistakes(`${path}.onExitCodes`, onExitCodes, names));
  onPodConditions?.forEach(({ status }, i) => {
    const at = `${path}.onPodConditions[${i}].status`;
    mistakes.push(...oneOf(at, status, ["False", "True", "Unknown"]));
  });
  const said = Number(onExitCodes !== undefined) + Number((onPodConditions?.length ?? 0) > 0);
  // Kubernetes leaves the value out here.
  if (said !== 1)
    mistakes.push({
      field: path,
      type: "FieldValueInvalid",
      message: `Invalid value: specifying ${said === 0 ? "one of OnExitCodes and OnPodConditions is required" : "both OnExitCodes and OnPodConditions is not supported"}`,
    });
  return mistakes;
}

function exitCodeMistakes(
  path: string,
  { operator, values = [], containerName }: NonNullable<PodFailurePolicyRule["onExitCodes"]>,
  names: Set<string>,
): FieldError[] {
  const mistakes = oneOf(`${path}.operator`, operator, ["In", "NotIn"]);
  if (containerName !== undefined && !names.has(containerName))
    mistakes.push(
      invalidValue(
        `${path}.containerName`,
        containerName,
        "must be one of the container or initContainer names in the pod template",
      ),
    );
  const at = `${path}.values`;
  if (values.length === 0) mistakes.push(invalidValue(at, values, "at least one value is required"));
  else if (values.length > mostExitCodes) mistakes.push(tooMany(at, values.length, mostExitCodes));
  let [ordered, unique] = [true, true];
  values.forEach((value, i) => {
    if (operator === "In" && value === 0)
      mistakes.push(invalidValue(`${at}[${i}]`, value, "must not be 0 for the In operator"));
    const last = values[i - 1];
    if (last !== undefined && last > value) ordered = false;
    if (last !== undefined && values.indexOf(value) < i) unique = false;
  });
  if (!ordered) mistakes.push(invalidValue(at, values, "must be ordered"));
  if (!unique) mistakes.push(invalidValue(at, values, "must not contain duplicates"));
  return mistakes;
}
