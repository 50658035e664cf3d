/** Secrets. Source: kubernetes pkg/apis/core (v1/conversion.go, v1/defaults.go, validation), pkg/registry/core/secret */
import type { Secret } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";

export const secrets: KindRules<Secret> = {
  defaults(secret) {
    secret.type ||= "Opaque";
    // Written only: never kept, never answered.
    if (secret.stringData) {
      const data: Record<string, string> = { ...secret.data };
      for (const [key, text] of Object.entries(secret.stringData)) data[key] = Buffer.from(text).toString("base64");
      if (Object.keys(data).length > 0) secret.data = data;
    }
    delete secret.stringData;
  },
  fields: ({ type }) => ({ type: type ?? "" }),
};
