/** The selector that a workload finds its pods by, and the template that must carry its labels. Source: kubernetes pkg/apis/apps/validation */
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  type LabelSelector,
  matchesSelector,
  notSupported,
  type PodTemplateSpec,
  required,
} from "@flotilla/objects";
import { selectorMistakes } from "../mistakes.ts";
import { templateMistakes } from "../pod/spec.ts";

const isEmpty = ({ matchLabels, matchExpressions }: LabelSelector): boolean =>
  Object.keys(matchLabels ?? {}).length === 0 && !matchExpressions?.length;

/** What cannot be turned into a selector at all; a label's value that is none is only said where it stands. */
const isUnusable = (selector: LabelSelector) => selectorMistakes("", selector).length > 0;

/** `kind` as in "empty selector is invalid for deployment", `unusable` what is said of a selector that is none. */
export function selectorAndTemplateMistakes(
  { selector, template }: { selector?: LabelSelector; template?: PodTemplateSpec },
  { kind, name, unusable }: { kind: string; name: string; unusable?: string },
): FieldError[] {
  const mistakes: FieldError[] = [];
  if (selector) {
    mistakes.push(...selectorMistakes("spec.selector", selector));
    if (isEmpty(selector))
      mistakes.push(invalidValue("spec.selector", selector, `empty selector is invalid for ${kind}`));
    if (isUnusable(selector)) {
      if (unusable !== undefined) {
        mistakes.push(invalidValue("spec.selector", selector, unusable));
        return mistakes;
      }
    } else if (!matchesTemplate(selector, template)) mistakes.push(labelsDiffer("spec.template", template));
  } else {
    mistakes.push(required("spec.selector"), labelsDiffer("spec.template", template));
  }
  return [...mistakes, ...runningTemplateMistakes("spec.template", template, name)];
}

const matchesTemplate = (selector: LabelSelector, template: PodTemplateSpec | undefined) =>
  isEmpty(selector) || matchesSelector(selector, template?.metadata?.labels ?? {});

export const labelsDiffer = (path: string, template: PodTemplateSpec | undefined): FieldError =>
  invalidValue(
    `${path}.metadata.labels`,
    template?.metadata?.labels ?? null,
    "`selector` does not match template `labels`",
  );

/** A template of pods that run until they are told to end. */
export function runningTemplateMistakes(
  path: string,
  template: PodTemplateSpec | undefined,
  name: string,
): FieldError[] {
  const mistakes = templateMistakes(path, template);
  const { restartPolicy = "Always", activeDeadlineSeconds } = template?.spec ?? {};
  if (restartPolicy !== "Always") mistakes.push(notSupported(`${path}.spec.restartPolicy`, restartPolicy, ["Always"]));
  if (activeDeadlineSeconds !== undefined)
    mistakes.push(
      forbiddenField(`${path}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${name} is not Supported`),
    );
  return mistakes;
}
