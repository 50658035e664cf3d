/** ControllerRevisions. Source: kubernetes pkg/apis/apps/validation */
import { type ControllerRevision, deepEqual, required } from "@flotilla/objects";
import type { KindRules } from "../../kind-rules.ts";
import { immutable, nonNegative } from "../mistakes.ts";

export const controllerRevisions: KindRules<ControllerRevision> = {
  validate: ({ data, revision }) => [
    ...(data === undefined || data === null ? [required("data", "data is mandatory")] : []),
    ...nonNegative("revision", revision),
  ],
  validateUpdate: ({ data }, before) => (deepEqual(data, before.data) ? [] : [immutable("data", data)]),
};
