/** What a Service's type says of it. */
import type { ServiceSpec } from "@flotilla/objects";

/** Reached from outside of the cluster, on a node's own address or another. */
export const isExternallyAccessible = ({ type, externalIPs }: ServiceSpec): boolean =>
  type === "LoadBalancer" || type === "NodePort" || (type === "ClusterIP" && (externalIPs?.length ?? 0) > 0);
