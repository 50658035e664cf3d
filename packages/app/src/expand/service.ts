/** The Service of a service, and the headless one that names the pods of a StatefulSet. */
import { type KubeObject, newObject, Services } from "@flotilla/objects";
import type { Service } from "../model/service.ts";
import { type Expansion, metadataOf, type Part, selectorLabels } from "./context.ts";
import { appProtocol, portsOf, transport } from "./ports.ts";
import { governingService } from "./workload.ts";

export function services(expansion: Expansion, part: Part, service: Service): KubeObject[] {
  const selector = selectorLabels(expansion.app.name, part.name);
  const ports = portsOf(service).map(({ name, port, protocol }) => ({
    name,
    port,
    targetPort: name,
    protocol: transport(protocol),
    ...(appProtocol[protocol] && { appProtocol: appProtocol[protocol] }),
  }));
  const headless = service.kind === "StatefulSet";
  // The pods of a StatefulSet need a governing Service even when nobody calls them.
  if (ports.length === 0)
    return headless
      ? [newObject(Services, { metadata: metadataOf(expansion, part), spec: { clusterIP: "None", selector } })]
      : [];
  const normal = newObject(Services, {
    metadata: metadataOf(expansion, part),
    spec: { type: "ClusterIP", selector, ports },
  });
  if (!headless) return [normal];
  const metadata = metadataOf(expansion, part, governingService(part.name));
  return [
    normal,
    newObject(Services, { metadata, spec: { clusterIP: "None", selector, ports, publishNotReadyAddresses: true } }),
  ];
}
