/** Who asks for a certificate is what the server knows about them, not what they say. Source: kubernetes pkg/registry/certificates/certificates */
import { type CertificateSigningRequest, resourceName } from "@flotilla/objects";
import type { AdmissionStep } from "./request.ts";

export const addRequester: AdmissionStep = ({ context, operation, resource, object }) => {
  if (resourceName(resource) !== "certificatesigningrequests.certificates.k8s.io" || operation !== "CREATE") return;
  const { spec } = object as CertificateSigningRequest;
  spec.username = context.user.username;
  spec.groups = [...context.user.groups];
  if (context.user.uid) spec.uid = context.user.uid;
  else delete spec.uid;
};
