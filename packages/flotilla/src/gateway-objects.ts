/** The one Gateway of a laptop, to which every App's routes attach. On a cluster its operators make their own. */
import type { Api } from "@flotilla/client";
import { applyObject, create } from "@flotilla/client";
import { Gateways, isAlreadyExists, Namespaces } from "@flotilla/objects";

const namespace = "flotilla-system";

export async function ensureGateway(api: Api): Promise<void> {
  await api.write(create(Namespaces, { metadata: { name: namespace }, spec: {} })).catch((error) => {
    if (!isAlreadyExists(error)) throw error;
  });
  await api.write(
    applyObject(
      Gateways,
      {
        metadata: { namespace, name: "flotilla" },
        spec: {
          gatewayClassName: "flotilla",
          listeners: [{ name: "http", protocol: "HTTP", port: 80, allowedRoutes: { namespaces: { from: "All" } } }],
        },
      },
      "flotilla",
    ),
  );
}
