/**
 * Empties a Namespace that is being deleted, kind by kind, and lets it go when nothing is left.
 *
 * Source: kubernetes pkg/controller/namespace/deletion/namespaced_resources_deleter.go; conditions and their texts too.
 */
import { type Controller, remove, status, together, type Write, watchAll } from "@flotilla/client";
import {
  isDeleted,
  type KubeObject,
  type Namespace,
  type NamespaceCondition,
  Namespaces,
  type Resource,
  resourceName,
  setCondition,
} from "@flotilla/objects";

export interface ObservedNamespace {
  readonly namespace: Namespace;
  readonly content: readonly { readonly resource: Resource; readonly object: KubeObject }[];
}

/** As many at one look. */
const batch = 500;

export const namespaceController: Controller<ObservedNamespace> = {
  name: "namespace",
  watches: [
    watchAll((object, resource, cache) => {
      const isNamespace = resource.kind === "Namespace" && resource.group === "";
      const name = isNamespace ? object.metadata.name : object.metadata.namespace;
      const namespace = name === undefined ? undefined : cache.get(Namespaces, { name });
      return namespace && isDeleted(namespace) ? [{ name: namespace.metadata.name }] : [];
    }),
  ],

  observe(key, cache) {
    const namespace = cache.get(Namespaces, { name: key.name });
    if (!namespace || !isDeleted(namespace)) return undefined;
    const content = cache
      .resources()
      .filter((resource) => resource.namespaced)
      .flatMap((resource) => cache.list(resource, { namespace: key.name }).map((object) => ({ resource, object })));
    return { namespace, content };
  },

  decide({ namespace, content }, { now }) {
    const report = status(namespace, { phase: "Terminating", conditions: conditions(namespace, content, now) });
    if (content.length === 0) {
      const { finalizers = [] } = namespace.spec ?? {};
      if (!finalizers.includes("kubernetes")) return {};
      const rest = finalizers.filter((each) => each !== "kubernetes");
      return { writes: [report, finalized({ ...namespace, spec: { ...namespace.spec, finalizers: rest } })] };
    }
    const alive = content.filter(({ object }) => !isDeleted(object)).slice(0, batch);
    const removals = alive.map(({ resource, object }) =>
      remove(object, { resource, preconditions: { uid: object.metadata.uid }, propagationPolicy: "Background" }),
    );
    return { writes: [report, together(removals)] };
  },
};

const finalized = (namespace: Namespace): Write => ({
  verb: "update",
  resource: Namespaces,
  subresource: "finalize",
  object: namespace,
});

function conditions(namespace: Namespace, content: ObservedNamespace["content"], now: Date): NamespaceCondition[] {
  const remaining = new Map<string, number>();
  const finalizers = new Map<string, number>();
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
  for (const { resource, object } of content) {
    count(remaining, resourceName(resource));
    for (const finalizer of object.metadata.finalizers ?? []) count(finalizers, finalizer);
  }
  const list = (map: Map<string, number>, unit: string) =>
    [...map]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, number]) => `${key} ${unit} ${number} resource instances`)
      .join(", ");
  const left = remaining.size > 0;
  const held = finalizers.size > 0;
  const all: [string, boolean, string, string, string, string][] = [
    [
      "NamespaceContentRemaining",
      left,
      "SomeResourcesRemain",
      `Some resources are remaining: ${list(remaining, "has")}`,
      "ContentRemoved",
      "All content successfully removed",
    ],
    [
      "NamespaceFinalizersRemaining",
      held,
      "SomeFinalizersRemain",
      `Some content in the namespace has finalizers remaining: ${list(finalizers, "in")}`,
      "ContentHasNoFinalizers",
      "All content-preserving finalizers finished",
    ],
  ];
  return all.reduce<NamespaceCondition[]>(
    (before, [type, is, reason, message, otherReason, otherMessage]) =>
      setCondition<NamespaceCondition>(
        before,
        {
          type,
          status: is ? "True" : "False",
          reason: is ? reason : otherReason,
          message: is ? message : otherMessage,
        },
        now,
      ),
    namespace.status?.conditions ?? [],
  );
}
