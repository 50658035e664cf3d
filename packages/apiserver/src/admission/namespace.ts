/** Namespaces: content goes only into one that exists and stays; the first ones stay for ever. Source: apiserver pkg/admission/plugin/namespace/lifecycle */
import {
  ConfigMaps,
  forbidden,
  type KubeObject,
  type Namespace,
  Namespaces,
  newObject,
  notFound,
  type Resource,
  resourceName,
  ServiceAccounts,
  StatusError,
} from "@flotilla/objects";
import { createTaken } from "../registry/creating.ts";
import type { AdmissionRequest, AdmissionStep } from "./request.ts";

const immortal = new Set(["default", "kube-system", "kube-public"]);

export const namespaceTakesContent: AdmissionStep = ({ transaction, operation, resource, object }) => {
  const { namespace: name } = object.metadata;
  if (!name || !resource.namespaced || operation === "DELETE") return;
  const namespace = transaction.get("namespaces", name) as Namespace | undefined;
  if (!namespace) throw notFound(Namespaces, name);
  if (operation !== "CREATE" || namespace.status?.phase !== "Terminating") return;
  const { status } = forbidden(
    resource,
    object.metadata.name,
    `unable to create new content in namespace ${name} because it is being terminated`,
  );
  const cause = {
    reason: "NamespaceTerminating",
    message: `namespace ${name} is being terminated`,
    field: "metadata.namespace",
  };
  throw new StatusError({ ...status, details: { ...status.details, causes: [cause] } });
};

export const namespaceMayGo: AdmissionStep = ({ operation, resource, object }) => {
  if (operation === "DELETE" && resourceName(resource) === "namespaces" && immortal.has(object.metadata.name))
    throw forbidden(resource, object.metadata.name, "this namespace may not be deleted");
};

/** Clients wait for these two in every new namespace; here they come with it, in one step. */
export const furnishNamespace: AdmissionStep = (request) => {
  if (request.operation !== "CREATE" || resourceName(request.resource) !== "namespaces") return;
  const namespace = request.object.metadata.name;
  createOnce(request, ServiceAccounts, newObject(ServiceAccounts, { metadata: { name: "default", namespace } }));
  createOnce(
    request,
    ConfigMaps,
    newObject(ConfigMaps, {
      metadata: {
        name: "kube-root-ca.crt",
        namespace,
        annotations: {
          "kubernetes.io/description":
            "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the " +
            "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.",
        },
      },
      data: { "ca.crt": request.parts.certificateAuthority },
    }),
  );
};

function createOnce(request: AdmissionRequest, resource: Resource, object: KubeObject): void {
  const { namespace, name } = object.metadata;
  if (request.transaction.get(resourceName(resource), `${namespace}/${name}`)) return;
  const context = { ...request.context, fieldManager: "kube-controller-manager" };
  createTaken({ ...request, context }, resource, object);
}
