/** What an owner gives to the pods and sets that it makes. */
import { type KubeObject, type ObjectMeta, ownerReference, type Resource } from "@flotilla/objects";

interface Template {
  readonly metadata?: Pick<ObjectMeta, "labels" | "annotations" | "finalizers">;
}

/** The metadata of what `owner`, of that resource, makes from a template. */
export const madeFrom = (owner: KubeObject, resource: Resource, template: Template, name: string): ObjectMeta => ({
  name,
  namespace: owner.metadata.namespace,
  ...(template.metadata?.labels && { labels: template.metadata.labels }),
  ...(template.metadata?.annotations && { annotations: template.metadata.annotations }),
  ...(template.metadata?.finalizers && { finalizers: template.metadata.finalizers }),
  ownerReferences: [ownerReference(owner, resource)],
});
