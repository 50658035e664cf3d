/** What may change in a pod that exists. Source: kubernetes pkg/apis/core/validation (ValidatePodUpdate) */
import {
  type Container,
  deepEqual,
  type FieldError,
  forbiddenField,
  invalidValue,
  type Pod,
  type PodSpec,
  required,
} from "@flotilla/objects";
import { largestInt32 } from "../mistakes.ts";

const changeableFields =
  "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`," +
  "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations)," +
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

export function podUpdateMistakes({ spec }: Pod, { spec: before }: Pod): FieldError[] {
  for (const list of ["containers", "initContainers"] as const) {
    const [now, then] = [spec[list] ?? [], before[list] ?? []];
    if (now.length !== then.length)
      return [forbiddenField(`spec.${list}`, "pod updates may not add or remove containers")];
  }
  const mistakes = [...emptyImageMistakes(spec), ...imageSpaceMistakes(spec), ...deadlineMistakes(spec, before)];
  if (!onlyMoreTolerations(spec, before))
    mistakes.push(
      forbiddenField("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds"),
    );
  const gates = new Set(before.schedulingGates?.map(({ name }) => name));
  spec.schedulingGates?.forEach(({ name }, i) => {
    if (!gates.has(name))
      mistakes.push(
        forbiddenField(
          `spec.schedulingGates[${i}].name`,
          `only deletion is allowed, but found new scheduling gate '${name}'`,
        ),
      );
  });
  const same = { ...spec, ...changeable(spec, before) };
  if (gates.size > 0) {
    // A pod that waits may still be told more precisely where to go.
    const selector = spec.nodeSelector ?? {};
    if (Object.entries(before.nodeSelector ?? {}).every(([key, value]) => selector[key] === value))
      same.nodeSelector = before.nodeSelector;
  }
  if (!deepEqual(same, before)) mistakes.push(forbiddenField("spec", changeableFields));
  return mistakes;
}

function imageMistakes(spec: PodSpec, check: (path: string, image: string) => FieldError[]): FieldError[] {
  return (["containers", "initContainers"] as const).flatMap((list) =>
    (spec[list] ?? []).flatMap(({ image = "" }, i) => check(`spec.${list}[${i}].image`, image)),
  );
}

const emptyImageMistakes = (spec: PodSpec) => imageMistakes(spec, (path, image) => (image ? [] : [required(path)]));

/** In a pod; a template may have such a name. */
export const imageSpaceMistakes = (spec: PodSpec) =>
  imageMistakes(spec, (path, image) =>
    image.trim() === image ? [] : [invalidValue(path, image, "must not have leading or trailing whitespace")],
  );

function deadlineMistakes(spec: PodSpec, before: PodSpec): FieldError[] {
  const path = "spec.activeDeadlineSeconds";
  const [now, then] = [spec.activeDeadlineSeconds, before.activeDeadlineSeconds];
  if (now === undefined)
    return then === undefined ? [] : [invalidValue(path, null, "must not update from a positive integer to nil value")];
  if (now < 0 || now > largestInt32)
    return [invalidValue(path, now, `must be between 0 and ${largestInt32}, inclusive`)];
  return then !== undefined && then < now
    ? [invalidValue(path, now, "must be less than or equal to previous value")]
    : [];
}

function onlyMoreTolerations({ tolerations: now = [] }: PodSpec, { tolerations: then = [] }: PodSpec): boolean {
  return then.every(({ tolerationSeconds: _, ...old }) =>
    now.some(({ tolerationSeconds: __, ...each }) => deepEqual(old, each)),
  );
}

/** The fields that are checked above, as they were. */
function changeable(spec: PodSpec, before: PodSpec): Partial<PodSpec> {
  const sameImages = (now: Container[] | undefined, then: Container[] | undefined) =>
    now?.map((container, i) => ({ ...container, image: then?.[i]?.image }));
  const wasNegative = (before.terminationGracePeriodSeconds ?? 0) < 0 && spec.terminationGracePeriodSeconds === 1;
  return {
    containers: sameImages(spec.containers, before.containers) ?? [],
    initContainers: sameImages(spec.initContainers, before.initContainers),
    activeDeadlineSeconds: before.activeDeadlineSeconds,
    tolerations: before.tolerations,
    schedulingGates: before.schedulingGates,
    ...(wasNegative ? { terminationGracePeriodSeconds: before.terminationGracePeriodSeconds } : {}),
  };
}
