/** Namespaces. Source: kubernetes pkg/apis/core/v1/defaults.go, pkg/registry/core/namespace */
import { invalidValue, type Namespace, qualifiedName } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { flat, named } from "../mistakes.ts";

const unqualified = "name is neither a standard finalizer name nor is it fully qualified";
const nameLabel = "kubernetes.io/metadata.name";

export const namespaces: KindRules<Namespace> = {
  defaults({ metadata }) {
    if (metadata.name) metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name };
  },
  prepare(namespace, before) {
    if (before) return;
    namespace.status = { phase: "Active" };
    namespace.spec ??= {};
    const finalizers = namespace.spec.finalizers ?? [];
    namespace.spec.finalizers = finalizers.includes("kubernetes") ? finalizers : [...finalizers, "kubernetes"];
  },
  validate: ({ spec }) =>
    flat(spec?.finalizers, (finalizer) => {
      const mistakes = named("spec.finalizers", finalizer, qualifiedName);
      if (!finalizer.includes("/") && finalizer !== "kubernetes")
        mistakes.push(invalidValue("spec.finalizers", finalizer, unqualified));
      return mistakes;
    }),
  fields: ({ metadata, status }) => ({ name: metadata.name, "status.phase": status?.phase ?? "" }),
};
