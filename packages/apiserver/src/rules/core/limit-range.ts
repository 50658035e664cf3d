/** LimitRanges. Source: kubernetes pkg/apis/core (v1/defaults.go, validation) */
import type { LimitRange } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";

export const limitRanges: KindRules<LimitRange> = {
  defaults({ spec }) {
    for (const item of spec?.limits ?? []) {
      if (item.type !== "Container") continue;
      const standard = { ...item.max, ...item.default };
      const request = { ...item.min, ...standard, ...item.defaultRequest };
      if (Object.keys(standard).length > 0) item.default = standard;
      if (Object.keys(request).length > 0) item.defaultRequest = request;
    }
  },
};
