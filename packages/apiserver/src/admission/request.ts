/** What an admission step is told. */
import type { KubeObject, Resource } from "@flotilla/objects";
import type { Writing } from "../registry/parts.ts";

export interface AdmissionRequest extends Writing {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly resource: Resource;
  readonly subresource?: string;
  /** As it will be stored; on DELETE as it is. */
  readonly object: KubeObject;
  readonly before: KubeObject | undefined;
}

/** Throws to refuse. Only steps of the changing list may change `object`. */
export type AdmissionStep = (request: AdmissionRequest) => void;
