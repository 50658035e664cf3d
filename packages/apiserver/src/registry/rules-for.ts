/** The rules of a kind: from its own file, or from its CustomResourceDefinition. */
import type { Resource } from "@flotilla/objects";
import { isCustom } from "../custom/custom-resource.ts";
import type { KindRules } from "../kind-rules.ts";
import { rulesOf } from "../rules/index.ts";

export const rulesFor = (resource: Resource): KindRules =>
  isCustom(resource) ? resource.custom.rules : rulesOf(resource);
