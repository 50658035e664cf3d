/** metadata.generation: which kinds count their changes, and of what. Source: kubernetes pkg/registry strategies. */
import { deepEqual, type KubeObject, type Resource, resourceName, typeOf } from "@flotilla/objects";
import { rulesFor } from "./rules-for.ts";

/** Groups of Kubernetes' own in which most kinds have no generation; the exceptions are to either side. */
const mostlyWithout = new Set([
  "",
  "apiregistration.k8s.io",
  "autoscaling",
  "certificates.k8s.io",
  "coordination.k8s.io",
  "events.k8s.io",
  "node.k8s.io",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
]);
const exceptions = new Set([
  "pods",
  "podtemplates",
  "replicationcontrollers",
  "controllerrevisions.apps",
  "ipaddresses.networking.k8s.io",
  "servicecidrs.networking.k8s.io",
]);

function counts(resource: Resource): boolean {
  const rule = rulesFor(resource).generation;
  if (rule) return rule !== "none";
  return mostlyWithout.has(resource.group) === exceptions.has(resourceName(resource));
}

const rest = ({ metadata, status, apiVersion, kind, ...others }: KubeObject & { status?: unknown }) => others;

/** What the object's generation is after the change; undefined for kinds that have none. */
export function generationAfter(
  resource: Resource,
  after: KubeObject,
  before: KubeObject | undefined,
): number | undefined {
  if (!counts(resource)) return before?.metadata.generation;
  if (!before) return 1;
  const generation = before.metadata.generation ?? 1;
  const specOnly = rulesFor(resource).generation !== "spec" && typeOf(resource)?.fields.spec !== undefined;
  const same = specOnly ? deepEqual(specOf(after), specOf(before)) : deepEqual(rest(after), rest(before));
  const counted = !same || rulesFor(resource).countsAlso?.(after, before);
  return !counted ? generation : generation + 1;
}

const specOf = (object: KubeObject) => ("spec" in object ? object.spec : undefined);
