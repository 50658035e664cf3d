/** Namespaces. Source: kubernetes pkg/apis/core/v1/defaults.go, pkg/registry/core/namespace */
import type { Namespace } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";

const NAME_LABEL = "kubernetes.io/metadata.name";

export const namespaces: KindRules<Namespace> = {
  defaults({ metadata }) {
    if (metadata.name) metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name };
  },
  prepare(namespace, before) {
    if (before) return;
    namespace.status = { phase: "Active" };
    namespace.spec ??= {};
    const finalizers = namespace.spec.finalizers ?? [];
    namespace.spec.finalizers = finalizers.includes("kubernetes") ? finalizers : [...finalizers, "kubernetes"];
  },
  fields: ({ metadata, status }) => ({ name: metadata.name, "status.phase": status?.phase ?? "" }),
};
