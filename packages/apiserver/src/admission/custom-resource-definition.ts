/** CustomResourceDefinitions: names are accepted unless another has them; what was defined goes with its definition. Source: apiextensions-apiserver pkg/controller/{status,establish,finalizer} */
import {
  type CustomResourceDefinition,
  type CustomResourceDefinitionStatus,
  CustomResourceDefinitions,
  resourceName,
} from "@flotilla/objects";
import { timestamp } from "../registry/parts.ts";
import type { AdmissionStep } from "./request.ts";

const DEFINITIONS = resourceName(CustomResourceDefinitions);

export const acceptNames: AdmissionStep = ({
  parts,
  transaction,
  operation,
  resource,
  subresource,
  object,
  before,
}) => {
  if (resourceName(resource) !== DEFINITIONS || operation === "DELETE" || subresource) return;
  const definition = object as CustomResourceDefinition;
  const { group, names, versions } = definition.spec;
  const earlier = (before as CustomResourceDefinition | undefined)?.status;
  const rival = (transaction.list(DEFINITIONS) as CustomResourceDefinition[]).find(
    (other) =>
      other.metadata.name !== definition.metadata.name &&
      other.spec.group === group &&
      (other.spec.names.kind === names.kind || other.spec.names.plural === names.plural),
  );
  const stored = versions?.find(({ storage }) => storage)?.name;
  const now = timestamp(parts.clock.now());
  const condition = (type: string, status: "True" | "False", reason: string, message: string) => {
    const had = earlier?.conditions?.find((each) => each.type === type);
    const lastTransitionTime = had?.status === status ? had.lastTransitionTime : now;
    return { type, status, lastTransitionTime, reason, message };
  };
  definition.status = {
    ...earlier,
    acceptedNames: {
      ...names,
      singular: names.singular || names.kind?.toLowerCase(),
      listKind: names.listKind || `${names.kind}List`,
    },
    storedVersions: [...new Set([...(earlier?.storedVersions ?? []), ...(stored ? [stored] : [])])],
    conditions: rival
      ? [
          condition("NamesAccepted", "False", "KindConflict", `"${names.kind}" is already in use`),
          condition("Established", "False", "NotAccepted", "not all names are accepted"),
        ]
      : [
          condition("NamesAccepted", "True", "NoConflicts", "no conflicts found"),
          condition("Established", "True", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
  } as CustomResourceDefinitionStatus;
};

/** Runs once the deletion is staged. */
export const removeDefined: AdmissionStep = ({ transaction, resource, object }) => {
  if (resourceName(resource) !== DEFINITIONS || transaction.get(DEFINITIONS, object.metadata.name)) return;
  const { group, names } = (object as CustomResourceDefinition).spec;
  const defined = resourceName({ group, plural: names.plural });
  for (const { metadata } of transaction.list(defined))
    transaction.remove(defined, metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name);
};
