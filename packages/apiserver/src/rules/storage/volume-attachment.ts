/** VolumeAttachments. Source: kubernetes pkg/apis/storage/validation */
import { deepEqual, dns1123Subdomain, required, type VolumeAttachment } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { immutable, named } from "../mistakes.ts";

export const volumeAttachments: KindRules<VolumeAttachment> = {
  validate({ spec }) {
    const { attacher = "", nodeName = "", source } = spec;
    const mistakes = named("spec.nodeName", nodeName, dns1123Subdomain);
    // Kubernetes asks for it twice: as an attacher, and as a CSI driver's name.
    if (!attacher) mistakes.push(required("spec.attacher"), required("spec.attacher"));
    mistakes.push(...named("spec.attacher", attacher.toLowerCase(), dns1123Subdomain));
    if ((source?.inlineVolumeSpec === undefined) === (source?.persistentVolumeName === undefined))
      mistakes.push(required("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName"));
    return mistakes;
  },
  validateUpdate: ({ spec }, before) => (deepEqual(spec, before.spec) ? [] : [immutable("spec", spec)]),
};
