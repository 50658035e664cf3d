/** CustomResourceDefinitions: names are accepted unless another has them; what was defined goes with its definition. Source: apiextensions-apiserver pkg/controller/{status,establish,finalizer} */
import {
  type CustomResourceDefinition,
  type CustomResourceDefinitionStatus,
  CustomResourceDefinitions,
  resourceName,
  setCondition,
} from "@flotilla/objects";
import type { AdmissionStep } from "./request.ts";

const definitions = resourceName(CustomResourceDefinitions);

export const acceptNames: AdmissionStep = ({
  parts,
  transaction,
  operation,
  resource,
  subresource,
  object,
  before,
}) => {
  if (resourceName(resource) !== definitions || operation === "DELETE" || subresource) return;
  const definition = object as CustomResourceDefinition;
  const { group, names, versions } = definition.spec;
  const earlier = (before as CustomResourceDefinition | undefined)?.status;
  const rival = (transaction.list(definitions) as CustomResourceDefinition[]).find(
    (other) =>
      other.metadata.name !== definition.metadata.name &&
      other.spec.group === group &&
      (other.spec.names.kind === names.kind || other.spec.names.plural === names.plural),
  );
  const stored = versions?.find(({ storage }) => storage)?.name;
  const now = new Date(parts.clock.now());
  type Condition = NonNullable<NonNullable<CustomResourceDefinitionStatus["conditions"]>[number]>;
  const [accepted, established] = rival
    ? [
        { status: "False", reason: "KindConflict", message: `"${names.kind}" is already in use` },
        { status: "False", reason: "NotAccepted", message: "not all names are accepted" },
      ]
    : [
        { status: "True", reason: "NoConflicts", message: "no conflicts found" },
        { status: "True", reason: "InitialNamesAccepted", message: "the initial names have been accepted" },
      ];
  const found: Omit<Condition, "lastTransitionTime">[] = [
    { type: "NamesAccepted", ...accepted },
    { type: "Established", ...established },
  ] as Condition[];
  definition.status = {
    ...earlier,
    acceptedNames: {
      ...names,
      singular: names.singular || names.kind?.toLowerCase(),
      listKind: names.listKind || `${names.kind}List`,
    },
    storedVersions: [...new Set([...(earlier?.storedVersions ?? []), ...(stored ? [stored] : [])])],
    conditions: found.reduce<Condition[]>(
      (conditions, condition) => setCondition(conditions, condition, now),
      earlier?.conditions ?? [],
    ),
  } as CustomResourceDefinitionStatus;
};

/** Runs once the deletion is staged. */
export const removeDefined: AdmissionStep = ({ transaction, resource, object }) => {
  if (resourceName(resource) !== definitions || transaction.get(definitions, object.metadata.name)) return;
  const { group, names } = (object as CustomResourceDefinition).spec;
  const defined = resourceName({ group, plural: names.plural });
  for (const { metadata } of transaction.list(defined))
    transaction.remove(defined, metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name);
};
