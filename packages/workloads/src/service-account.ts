/**
 * What every Namespace has: the ServiceAccount `default`, and the ConfigMap `kube-root-ca.crt` by which its pods trust the API.
 *
 * Source: kubernetes pkg/controller/serviceaccount, pkg/controller/certificates/rootcacertpublisher.
 */
import { type Controller, create, update, watch, watchMapped } from "@flotilla/client";
import {
  type ConfigMap,
  ConfigMaps,
  isDeleted,
  type Namespace,
  Namespaces,
  type ServiceAccount,
  ServiceAccounts,
} from "@flotilla/objects";

export interface ObservedDefaults {
  readonly namespace: Namespace;
  readonly account: ServiceAccount | undefined;
  readonly certificate: ConfigMap | undefined;
}

const accountName = "default";
const certificateName = "kube-root-ca.crt";
const description = "The certificate authority of this cluster: what it has signed is the API server.";

/** `clusterCA`: PEM. */
export const namespaceDefaultsController = (clusterCA: string): Controller<ObservedDefaults> => ({
  name: "namespace-defaults",
  watches: [
    watch(Namespaces),
    watchMapped(ServiceAccounts, ({ metadata: { name, namespace } }) =>
      name === accountName && namespace ? [{ name: namespace }] : [],
    ),
    watchMapped(ConfigMaps, ({ metadata: { name, namespace } }) =>
      name === certificateName && namespace ? [{ name: namespace }] : [],
    ),
  ],

  observe({ name }, cache) {
    const namespace = cache.get(Namespaces, { name });
    return (
      namespace && {
        namespace,
        account: cache.get(ServiceAccounts, { namespace: name, name: accountName }),
        certificate: cache.get(ConfigMaps, { namespace: name, name: certificateName }),
      }
    );
  },

  decide({ namespace, account, certificate }) {
    if (isDeleted(namespace) || namespace.status?.phase === "Terminating") return {};
    const { name } = namespace.metadata;
    const data = { "ca.crt": clusterCA };
    const annotations = { "kubernetes.io/description": description };
    return {
      writes: [
        account ? undefined : create(ServiceAccounts, { metadata: { name: accountName, namespace: name } }),
        certificate
          ? certificate.data?.["ca.crt"] === clusterCA
            ? undefined
            : update({ ...certificate, data })
          : create(ConfigMaps, { metadata: { name: certificateName, namespace: name, annotations }, data }),
      ],
    };
  },
});
