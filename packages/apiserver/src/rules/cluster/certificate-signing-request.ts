/** CertificateSigningRequests. Source: kubernetes pkg/registry/certificates/certificates */
import { type CertificateSigningRequest, type FieldError, invalidValue, required } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";

export const certificateSigningRequests: KindRules<CertificateSigningRequest> = {
  validate({ spec }) {
    const { request = "", signerName } = spec ?? {};
    const mistakes: FieldError[] = [];
    if (!Buffer.from(request, "base64").toString().includes("-----BEGIN CERTIFICATE REQUEST-----"))
      mistakes.push(invalidValue("spec.request", request, "PEM block type must be CERTIFICATE REQUEST"));
    if (!signerName) mistakes.push(required("spec.signerName"));
    if (!spec?.usages?.length) mistakes.push(required("spec.usages"));
    return mistakes;
  },
  fields: ({ spec }) => ({ "spec.signerName": spec?.signerName ?? "" }),
};
