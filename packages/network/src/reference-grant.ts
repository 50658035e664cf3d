/** Whether a namespace lets the routes of another one use its Services. Pure. Source: gateway.networking.k8s.io/v1beta1 ReferenceGrant. */
import type { ReferenceGrant } from "@flotilla/objects";

export interface Reference {
  /** The route's namespace. */
  readonly from: string;
  readonly namespace: string;
  readonly service: string;
}

/** A grant stands in the namespace that gives it. */
export const isGranted = (grants: readonly ReferenceGrant[], { from, namespace, service }: Reference): boolean =>
  grants.some(
    ({ metadata, spec }) =>
      metadata.namespace === namespace &&
      spec?.from?.some(
        (each) => each.group === "gateway.networking.k8s.io" && each.kind === "HTTPRoute" && each.namespace === from,
      ) &&
      spec?.to?.some(
        (each) => each.group === "" && each.kind === "Service" && (each.name === undefined || each.name === service),
      ),
  );
