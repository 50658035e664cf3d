/** StatefulSets. Source: kubernetes pkg/apis/apps (v1/defaults.go, validation), pkg/registry/apps/statefulset */
import {
  deepEqual,
  dns1123Label,
  type FieldError,
  forbiddenField,
  invalidValue,
  type StatefulSet,
  type StatefulSetSpec,
} from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { claimSpecMistakes } from "../core/claim-spec.ts";
import { fill } from "../fill.ts";
import { countOrPercent, flat, named, nonNegative, oneOf } from "../mistakes.ts";
import { defaultTemplate } from "../pod/defaults.ts";
import { podSpecWarnings } from "../pod/warnings.ts";
import { selectorAndTemplateMistakes } from "./selector.ts";

const changeable = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
] as const;
const only =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
  "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

function strategyMistakes({ type, rollingUpdate }: NonNullable<StatefulSetSpec["updateStrategy"]>): FieldError[] {
  const path = "spec.updateStrategy";
  if (type === "RollingUpdate")
    return [
      ...nonNegative(`${path}.rollingUpdate.partition`, rollingUpdate?.partition),
      ...countOrPercent(`${path}.rollingUpdate.maxUnavailable`, rollingUpdate?.maxUnavailable),
    ];
  if (type !== "OnDelete") return [invalidValue(path, { type }, "must be 'RollingUpdate' or 'OnDelete'")];
  return rollingUpdate
    ? [invalidValue(`${path}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")]
    : [];
}

function specMistakes(spec: StatefulSetSpec): FieldError[] {
  const { podManagementPolicy, persistentVolumeClaimRetentionPolicy: retention } = spec;
  const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata }) => ({
    name: metadata.name,
    persistentVolumeClaim: { claimName: metadata.name },
  }));
  // What the pods are given of claims is theirs as if it stood in the template.
  const own = spec.template.spec;
  const names = new Set(claims.map(({ name }) => name));
  const template = {
    ...spec.template,
    spec: own && {
      ...own,
      hostname: undefined,
      subdomain: undefined,
      volumes: [...claims, ...(own.volumes ?? []).filter(({ name }) => !names.has(name))],
    },
  };
  return [
    ...(podManagementPolicy === "OrderedReady" || podManagementPolicy === "Parallel"
      ? []
      : [invalidValue("spec.podManagementPolicy", podManagementPolicy ?? "", "must be 'OrderedReady' or 'Parallel'")]),
    ...strategyMistakes(spec.updateStrategy ?? {}),
    ...(["whenDeleted", "whenScaled"] as const).flatMap((when) =>
      oneOf(`spec.persistentVolumeClaimRetentionPolicy.${when}`, retention?.[when], ["Retain", "Delete"]),
    ),
    ...nonNegative("spec.replicas", spec.replicas),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...nonNegative("spec.ordinals.start", spec.ordinals?.start),
    ...selectorAndTemplateMistakes(
      { selector: spec.selector, template },
      { kind: "statefulset", name: "StatefulSet", unusable: "" },
    ),
  ];
}

export const statefulSets: KindRules<StatefulSet> = {
  defaults({ spec }) {
    fill(spec, { podManagementPolicy: "OrderedReady", replicas: 1, revisionHistoryLimit: 10 });
    spec.updateStrategy ??= {};
    const { updateStrategy } = spec;
    if (!updateStrategy.type) {
      updateStrategy.type = "RollingUpdate";
      updateStrategy.rollingUpdate ??= {};
    }
    if (updateStrategy.type === "RollingUpdate" && updateStrategy.rollingUpdate)
      updateStrategy.rollingUpdate.partition ??= 0;
    spec.persistentVolumeClaimRetentionPolicy ??= {};
    fill(spec.persistentVolumeClaimRetentionPolicy, { whenDeleted: "Retain", whenScaled: "Retain" });
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion = "v1";
      claim.kind = "PersistentVolumeClaim";
      claim.spec.volumeMode ??= "Filesystem";
      claim.status ??= {};
      claim.status.phase ??= "Pending";
    }
    defaultTemplate(spec.template);
  },
  validate: ({ spec }) => specMistakes(spec),
  validateCreate: ({ spec }) => [
    ...(spec.serviceName ? named("spec.serviceName", spec.serviceName, dns1123Label) : []),
    ...flat(spec.volumeClaimTemplates, (claim, i) =>
      claimSpecMistakes(`spec.volumeClaimTemplates[${i}].spec`, claim.spec),
    ),
  ],
  validateUpdate({ spec }, before) {
    const same = { ...spec };
    for (const field of changeable) Object.assign(same, { [field]: before.spec[field] });
    return deepEqual(same, before.spec) ? [] : [forbiddenField("spec", only)];
  },
  warnings: ({ spec }) => podSpecWarnings("spec.template.spec", spec.template.spec),
};
