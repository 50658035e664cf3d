/** CertificateSigningRequests. Source: kubernetes pkg/registry/certificates/certificates */
import type { CertificateSigningRequest } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";

export const certificateSigningRequests: KindRules<CertificateSigningRequest> = {
  fields: ({ spec }) => ({ "spec.signerName": spec?.signerName ?? "" }),
};
