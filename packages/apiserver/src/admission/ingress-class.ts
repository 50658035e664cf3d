/** An Ingress that names no class gets the default one. Source: kubernetes plugin/pkg/admission/network/defaultingressclass */
import { forbidden, type Ingress, type IngressClass, IngressClasses, resourceName } from "@flotilla/objects";
import type { AdmissionStep } from "./request.ts";

const defaultAnnotation = "ingressclass.kubernetes.io/is-default-class";

export const chooseIngressClass: AdmissionStep = ({ transaction, operation, resource, object }) => {
  if (resourceName(resource) !== "ingresses.networking.k8s.io" || operation !== "CREATE") return;
  const { spec, metadata } = object as Ingress;
  if (spec.ingressClassName || metadata.annotations?.["kubernetes.io/ingress.class"] !== undefined) return;
  const defaults = (transaction.list(resourceName(IngressClasses)) as IngressClass[]).filter(
    (each) => each.metadata.annotations?.[defaultAnnotation] === "true",
  );
  if (defaults.length > 1)
    throw forbidden(resource, metadata.name, `${defaults.length} default IngressClasses were found, only 1 allowed`);
  if (defaults[0]) spec.ingressClassName = defaults[0].metadata.name;
};
